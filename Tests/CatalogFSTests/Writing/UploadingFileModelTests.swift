// SPDX-License-Identifier: Apache-2.0

import Iceberg
import TestSupport
import Testing

@testable import CatalogFS

/// Random operations on a file against an array of bytes. A failing sequence is named by its seed.
@Suite("Uploading files: random operations")
final class UploadingFileModelTests {
  private let scratch = ScratchDirectory()

  @Test("Whatever is written, cut, read and copied, the object is what POSIX says, and nothing is left over", arguments: 0..<8)
  func sequences(group: UInt64) async throws {
    var seen = Set<String>()
    for number in 0..<400 {
      let seed = group * 1000 + UInt64(number)
      var run = try Run(seed: seed, directory: scratch.path)
      try await run.all()
      seen.formUnion(run.seen)
      await Task.yield()
    }
    // A generator that never reaches a case proves nothing of it.
    let expected: Set<String> = [
      "behind", "beyond", "busy", "streamed", "staged", "referenced", "ahead", "restarted", "aborted", "exists", "copied", "hole",
      "partial",
      "written after a copy",
    ]
    #expect(expected.subtracting(seen).isEmpty, "group \(group)")
  }
}

private struct Run {
  private static let target = ObjectLocation(bucket: "lake", key: "t/data/new")
  private static let source = ObjectLocation(bucket: "lake", key: "t/data/old")

  private let seed: UInt64
  private var random: SeededGenerator
  private let files = WatchedFiles()
  private let area: StagingArea
  private let file: UploadingFile
  private let original: [UInt8]
  private let attributes: ObjectAttributes
  private var model: [UInt8] = []
  private(set) var seen = Set<String>()

  init(seed: UInt64, directory: String) throws {
    self.seed = seed
    random = SeededGenerator(seed: seed &* 0x9E37_79B9_7F4A_7C15 &+ 1)
    let capacity: Int64 = [0, 4096, 20_000, 1 << 20].randomElement(using: &random) ?? 0
    area = try StagingArea(directory: directory, capacity: capacity)
    file = UploadingFile(
      location: Self.target, files: files, staging: area, options: WriteOptions(),
      streamsAfter: [0, 500, 3000, 1 << 20].randomElement(using: &random) ?? 0)
    original = (0..<Int.random(in: 0...6000, using: &random)).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) }
    attributes = files.objects.put(Self.source, original)
  }

  mutating func all() async throws {
    let steps = Int.random(in: 0...25, using: &random)
    let isOrderly = Bool.random(using: &random)
    if Int.random(in: 0..<3, using: &random) == 0 { try await copyAll() }
    for _ in 0..<steps {
      switch Int.random(in: 0..<20, using: &random) {
      case 0..<12: try await write(isOrderly: isOrderly)
      case 12..<14: try await truncate(isOrderly: isOrderly)
      case 14..<17: try await read()
      case 17: try await copyOnce()
      case 18: if !isOrderly { try await failToFinish() }
      default: try await read()
      }
      #expect(file.size == Int64(model.count), "seed \(seed)")
    }
    if Int.random(in: 0..<5, using: &random) == 0 {
      #expect(await file.abort() == nil)
      seen.insert("aborted")
      #expect(try await files.objects.list(bucket: "lake", prefix: "t/data/new", isDirectory: false, from: .start).objects.isEmpty)
    } else {
      let object = try await file.finish()
      #expect(object.size == Int64(model.count))
      #expect(try await files.content(Self.target) == model, "seed \(seed)")
      #expect(try await file.finish() == object)
      #expect(await file.abort() == object)
      if files.copied > 0 { seen.insert("copied") }
    }
    #expect(files.openUploads == 0, "seed \(seed)")
    #expect(area.used == 0, "seed \(seed)")
  }

  private mutating func write(isOrderly: Bool) async throws {
    let count = Int.random(in: 0...1500, using: &random)
    var offset = model.count
    if !isOrderly, Int.random(in: 0..<4, using: &random) == 0 { offset = Int.random(in: 0...(model.count + 3000), using: &random) }
    let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    let before = file.phase
    do {
      try await file.write(bytes, at: Int64(offset))
    } catch {
      return judge(error, before: before, offset: offset, end: max(offset + count, model.count))
    }
    if bytes.isEmpty { return }
    if case .referenced = before { seen.insert("written after a copy") }
    if offset > model.count {
      seen.insert("hole")
      model += [UInt8](repeating: 0, count: offset - model.count)
    }
    model.replaceSubrange(offset..<min(offset + count, model.count), with: bytes)
    note(before)
  }

  private mutating func truncate(isOrderly: Bool) async throws {
    var size = Int.random(in: 0...(model.count + 500), using: &random)
    if isOrderly { size = Bool.random(using: &random) ? 0 : model.count }
    let before = file.phase
    do {
      try await file.truncate(to: Int64(size))
    } catch {
      return judge(error, before: before, offset: size, end: max(size, model.count))
    }
    if case .streaming = before, size == 0 { seen.insert("restarted") }
    model = Array(model.prefix(size)) + [UInt8](repeating: 0, count: max(size - model.count, 0))
    note(before)
  }

  private mutating func read() async throws {
    let start = Int.random(in: 0...(model.count + 10), using: &random)
    let end = start + Int.random(in: 0...2000, using: &random)
    do {
      let bytes = try await file.read(Int64(start)..<Int64(end))
      #expect(bytes == Array(model[min(start, model.count)..<min(end, model.count)]), "seed \(seed)")
    } catch {
      #expect(error.code == .busy, "seed \(seed): \(error)")
      if case .streaming = file.phase { seen.insert("busy") } else { Issue.record("seed \(seed): bytes that are here are busy") }
    }
  }

  private mutating func copyAll() async throws {
    while model.count < original.count, try await copyOnce() {
      if Int.random(in: 0..<6, using: &random) == 0 { return }
    }
  }

  @discardableResult
  private mutating func copyOnce() async throws -> Bool {
    let before = file.phase
    let end = min(model.count + Int.random(in: 1...4000, using: &random), original.count)
    guard model.count < end else { return false }
    let range = Int64(model.count)..<Int64(end)
    let isTaken = try await file.copy(of: attributes, sourceFiles: files, range: range, at: range.lowerBound)
    switch before {
    case .referenced: #expect(isTaken, "seed \(seed)")
    case .staged where model.isEmpty: #expect(isTaken, "seed \(seed)")
    default: #expect(!isTaken, "seed \(seed)")
    }
    guard isTaken else { return false }
    model += original[model.count..<end]
    seen.insert(end < original.count ? "partial" : "referenced")
    return true
  }

  /// An object of the name is in the way for a while.
  private mutating func failToFinish() async throws {
    if case .streaming = file.phase { return }
    files.objects.put(Self.target, [1])
    await #expect(throws: FilesystemError.self) { try await file.finish() }
    files.objects.delete(Self.target)
    seen.insert("exists")
  }

  private mutating func note(_ before: UploadingFile.Phase) {
    switch file.phase {
    case .streaming(let stream):
      seen.insert("streamed")
      if stream.size > files.taken { seen.insert("ahead") }
    case .staged: seen.insert("staged")
    default: break
    }
  }

  /// Only what the contract allows may fail, and it must have reason to.
  private mutating func judge(_ error: FilesystemError, before: UploadingFile.Phase, offset: Int, end: Int) {
    #expect(error.code == .tooLarge, "seed \(seed): \(error)")
    if case .streaming(let stream) = before {
      let taken = Int(files.taken)
      #expect(stream.size == Int64(model.count), "seed \(seed)")
      if offset < taken { seen.insert("behind") } else { #expect(Int64(end - taken) > area.capacity, "seed \(seed): \(error)") }
    } else {
      #expect(Int64(end) > area.capacity, "seed \(seed): \(error)")
      seen.insert("beyond")
    }
  }
}
