// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import AWSCore

@Suite("Keys that end are renewed")
struct RefreshingCredentialsTests {
  /// A source that gives numbered keys of a life, and can be told to fail.
  final class Source: Sendable {
    struct State {
      var calls = 0
      var fails = false
      var life: Double? = 3600
    }

    let clock = VirtualClock()
    let state = Mutex(State())
    let gate = AsyncGate()

    func provider(_ window: RefreshingCredentialsProvider.Window = .standard) -> RefreshingCredentialsProvider {
      RefreshingCredentialsProvider(name: "test", window: window, clock: clock, logger: Logger(label: "test")) { () throws(AWSError) in
        await self.gate.pass()
        let (number, fails, life) = self.state.withLock { state in
          state.calls += 1
          return (state.calls, state.fails, state.life)
        }
        if fails { throw .missingCredentials("the source is down") }
        return AWSCredentials(
          accessKeyID: "K\(number)", secretAccessKey: Secret("s"), expiration: life.map { self.clock.wallSeconds() + $0 }, source: "test")
      }
    }

    var calls: Int { state.withLock { $0.calls } }
  }

  /// Opens and closes; closed, whoever comes waits.
  final class AsyncGate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((true, []))

    func close() { state.withLock { $0.isOpen = false } }

    func open() {
      let waiting = state.withLock { state in
        defer { state = (true, []) }
        return state.waiting
      }
      for continuation in waiting { continuation.resume() }
    }

    func pass() async {
      await withCheckedContinuation { continuation in
        let isOpen = state.withLock { state in
          if !state.isOpen { state.waiting.append(continuation) }
          return state.isOpen
        }
        if isOpen { continuation.resume() }
      }
    }
  }

  @Test("Callers at the same time share one fetch")
  func coalesced() async throws {
    let source = Source()
    let provider = source.provider()
    source.gate.close()
    try await withThrowingTaskGroup(of: String?.self) { group in
      for _ in 0..<20 { group.addTask { try await provider.credentials()?.accessKeyID } }
      for _ in 0..<50 { await Task.yield() }
      source.gate.open()
      for try await key in group { #expect(key == "K1") }
    }
    #expect(source.calls == 1)
  }

  @Test("Five minutes before their end keys are renewed aside: nobody waits, and the old ones serve meanwhile")
  func prefetch() async throws {
    let source = Source()
    let provider = source.provider()
    #expect(try await provider.credentials()?.accessKeyID == "K1")
    source.clock.advance(.seconds(3600 - 301))
    #expect(try await provider.credentials()?.accessKeyID == "K1")
    #expect(source.calls == 1)
    source.gate.close()
    source.clock.advance(.seconds(2))
    for _ in 0..<3 { #expect(try await provider.credentials()?.accessKeyID == "K1") }
    source.gate.open()
    #expect(await becomesTrue { provider.latest?.accessKeyID == "K2" })
    #expect(try await provider.credentials()?.accessKeyID == "K2")
    #expect(source.calls == 2)
  }

  @Test("A minute before their end callers wait for new keys; if none can be had, the old ones serve to their last second and no further")
  func mandatory() async throws {
    let source = Source()
    let provider = source.provider()
    _ = try await provider.credentials()
    source.clock.advance(.seconds(3600 - 59))
    #expect(try await provider.credentials()?.accessKeyID == "K2")
    source.clock.advance(.seconds(3600 - 59))
    source.state.withLock { $0.fails = true }
    #expect(try await provider.credentials()?.accessKeyID == "K2")
    source.clock.advance(.seconds(60))
    let error = await #expect(throws: AWSError.self) { _ = try await provider.credentials() }
    #expect(error?.message == "the source is down")
    let calls = source.calls
    await #expect(throws: AWSError.self) { _ = try await provider.credentials() }
    #expect(source.calls == calls, "a source that is down is not asked by every request")
    source.clock.advance(.seconds(1))
    source.state.withLock { $0.fails = false }
    #expect(try await provider.credentials()?.accessKeyID == "K\(calls + 1)")
  }

  @Test("An instance's keys serve past their end while none newer can be had, and are asked for minutes apart")
  func staticStability() async throws {
    let source = Source()
    let provider = source.provider(.instance)
    _ = try await provider.credentials()
    source.state.withLock { $0.fails = true }
    source.clock.advance(.seconds(4000))
    for _ in 0..<3 { #expect(try await provider.credentials()?.accessKeyID == "K1") }
    #expect(source.calls == 2)
    source.clock.advance(.seconds(299))
    _ = try await provider.credentials()
    #expect(source.calls == 2)
    source.clock.advance(.seconds(400))
    _ = try await provider.credentials()
    #expect(source.calls == 3)
  }

  @Test("Keys that the service refuses are replaced before their time, once for all who held them")
  func refused() async throws {
    let source = Source()
    let provider = source.provider()
    let old = try await provider.credentials()
    provider.invalidate(old)
    #expect(try await provider.credentials()?.accessKeyID == "K2")
    provider.invalidate(old)
    #expect(try await provider.credentials()?.accessKeyID == "K2", "the refusal of older keys says nothing of these")
    provider.invalidate(nil)
    #expect(try await provider.credentials()?.accessKeyID == "K3")
    #expect(source.calls == 3)
  }

  @Test("Keys that look expired as they come are used all the same: this machine's clock may be wrong")
  func skewed() async throws {
    let source = Source()
    source.state.withLock { $0.life = -1200 }
    let provider = source.provider()
    for _ in 0..<5 { #expect(try await provider.credentials()?.accessKeyID == "K1") }
    #expect(source.calls == 1)
  }

  @Test("Keys of a short life are not fetched at every use")
  func shortLife() async throws {
    let source = Source()
    source.state.withLock { $0.life = 60 }
    let provider = source.provider()
    for _ in 0..<20 {
      _ = try await provider.credentials()
      source.clock.advance(.seconds(1))
    }
    #expect(source.calls == 1)
  }

  @Test("Keys without an end are fetched once")
  func endless() async throws {
    let source = Source()
    source.state.withLock { $0.life = nil }
    let provider = source.provider()
    _ = try await provider.credentials()
    source.clock.advance(.seconds(1_000_000))
    #expect(try await provider.credentials()?.accessKeyID == "K1")
  }
}
