// SPDX-License-Identifier: Apache-2.0

import Fuse
import Glibc
import Synchronization

/// A filesystem in memory that takes every change and writes down what the kernel asked, in order.
///
/// Entries and attributes are never cached, so that every look at a name is a request.
final class WritableFileSystem: FuseFileSystem {
  struct Node: Sendable {
    var kind: FuseAttributes.Kind
    var name: String
    var bytes: [UInt8] = []
    var children: [String: UInt64] = [:]
    var mode: UInt16 = 0o644
    var uid: UInt32 = getuid()
    var gid: UInt32 = getgid()
    var modified: Int64 = 0
  }

  /// A change as it arrived, and what was said of its caller at that moment.
  struct Event: Sendable {
    var operation: FuseOperation
    var text: String
    var caller: FuseCaller?
    var process: Int32?
    var state: CallerProcess.State
  }

  struct State: Sendable {
    var nodes: [UInt64: Node] = [1: Node(kind: .directory, name: "/", mode: 0o755)]
    var lastInode: UInt64 = 1
    var lastHandle: UInt64 = 100
    var handles: [UInt64: UInt64] = [:]
    var lookups: [UInt64: Int64] = [:]
    var events: [Event] = []
    var failures: [FuseOperation: Int32] = [:]
    var held: Set<FuseOperation> = []
    var attributeRequests = 0
  }

  let state = Mutex(State())
  /// Called by a rename with the new parent and name, right before its answer.
  let onRename: @Sendable (UInt64, [UInt8]) -> Void

  init(onRename: @escaping @Sendable (UInt64, [UInt8]) -> Void = { _, _ in }) {
    self.onRename = onRename
  }

  // MARK: What tests look at

  var events: [Event] { state.withLock { $0.events } }
  var log: [String] { events.map(\.text) }
  var attributeRequests: Int { state.withLock { $0.attributeRequests } }
  var openHandles: Int { state.withLock { $0.handles.count } }
  var heldLookups: Int64 { state.withLock { $0.lookups.values.reduce(0, +) } }

  func count(_ operation: FuseOperation) -> Int { events.count { $0.operation == operation } }

  func forgetEvents() { state.withLock { $0.events = [] } }

  /// The bytes of the file that some directory has under a name.
  func content(_ name: String) -> String? {
    state.withLock { state in
      let inode = state.nodes.values.lazy.compactMap { $0.children[name] }.first
      return inode.flatMap { state.nodes[$0] }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }
  }

  /// From now on the operation answers with an error number; 0: no longer.
  func fail(_ operation: FuseOperation, with number: Int32) { state.withLock { $0.failures[operation] = number == 0 ? nil : number } }

  /// From now on the operation waits until it is let go, or is cancelled and then ETIMEDOUT; a create goes on in spite of that.
  func hold(_ operation: FuseOperation) { state.withLock { _ = $0.held.insert(operation) } }
  func letGo(_ operation: FuseOperation) { state.withLock { _ = $0.held.remove(operation) } }

  // MARK: Inside

  /// Writes the change down, then waits and fails as the test wants it.
  private func enter(_ operation: FuseOperation, _ text: String, _ caller: FuseCaller? = nil) async throws(Errno) {
    record(operation, text, caller)
    while state.withLock({ $0.held.contains(operation) }) {
      do {
        try await Task.sleep(for: .milliseconds(2))
      } catch {
        guard operation == .create else { throw Errno(rawValue: ETIMEDOUT) }
        await Task.yield()
      }
    }
    if let number = state.withLock({ $0.failures[operation] }) { throw Errno(rawValue: number) }
  }

  private func record(_ operation: FuseOperation, _ text: String, _ caller: FuseCaller?) {
    let event = Event(
      operation: operation, text: "\(operation.rawValue) \(text)", caller: caller,
      process: caller.flatMap { CallerProcess.process(ofThread: $0.thread) },
      state: caller.map { CallerProcess.state(ofThread: $0.thread) } ?? .unknown)
    state.withLock { $0.events.append(event) }
  }

  func node<Value: Sendable>(_ inode: UInt64, _ path: KeyPath<Node, Value>) -> Value? {
    state.withLock { $0.nodes[inode]?[keyPath: path] }
  }

  private func name(_ inode: UInt64) -> String { node(inode, \.name) ?? "?" }

  private func attributes(of inode: UInt64) throws(Errno) -> FuseAttributes {
    guard let node = state.withLock({ $0.nodes[inode] }) else { throw Errno(rawValue: ESTALE) }
    return FuseAttributes(
      inode: inode, kind: node.kind, mode: node.mode, size: Int64(node.bytes.count), modified: node.modified, uid: node.uid, gid: node.gid)
  }

  private func entry(_ inode: UInt64) throws(Errno) -> FuseEntry {
    let entry = FuseEntry(attributes: try attributes(of: inode), entrySeconds: 0, attributeSeconds: 0)
    state.withLock { $0.lookups[inode, default: 0] += 1 }
    return entry
  }

  private func child(_ parent: UInt64, _ name: [UInt8]) -> UInt64? {
    state.withLock { $0.nodes[parent]?.children[String(decoding: name, as: UTF8.self)] }
  }

  private func add(_ kind: FuseAttributes.Kind, to parent: UInt64, _ name: String, mode: UInt16) -> UInt64 {
    state.withLock { state in
      state.lastInode += 1
      state.nodes[state.lastInode] = Node(kind: kind, name: name, mode: mode)
      state.nodes[parent]?.children[name] = state.lastInode
      return state.lastInode
    }
  }

  private func opened(_ inode: UInt64, flags: Int32) -> FuseOpened {
    state.withLock { state in
      state.lastHandle += 1
      state.handles[state.lastHandle] = inode
      return FuseOpened(handle: state.lastHandle, keepsCache: false, noFlush: flags & O_ACCMODE == O_RDONLY)
    }
  }

  private func update(_ inode: UInt64, _ change: (inout Node) -> Void) {
    state.withLock { state in
      guard var node = state.nodes.removeValue(forKey: inode) else { return }
      change(&node)
      state.nodes[inode] = node
    }
  }

  private static func text(_ flags: Int32) -> String {
    let modes = [O_RDONLY: "r", O_WRONLY: "w", O_RDWR: "rw"]
    var text = modes[flags & O_ACCMODE] ?? "?"
    for (flag, name) in [(O_CREAT, "creat"), (O_EXCL, "excl"), (O_TRUNC, "trunc"), (O_APPEND, "append")] where flags & flag != 0 {
      text += ",\(name)"
    }
    return text
  }
}

// MARK: - Reading

extension WritableFileSystem {
  func lookup(parent: UInt64, name: [UInt8]) async throws(Errno) -> FuseEntry {
    guard let inode = child(parent, name) else { throw Errno(rawValue: ENOENT) }
    return try entry(inode)
  }

  func forget(inode: UInt64, count: UInt64) { state.withLock { $0.lookups[inode, default: 0] -= Int64(count) } }

  func attributes(inode: UInt64) async throws(Errno) -> (FuseAttributes, Double) {
    state.withLock { $0.attributeRequests += 1 }
    return (try attributes(of: inode), 0)
  }

  func readlink(inode: UInt64) async throws(Errno) -> [UInt8] { throw Errno(rawValue: EINVAL) }

  func open(inode: UInt64, flags: Int32, caller: FuseCaller) async throws(Errno) -> FuseOpened {
    try await enter(.open, "\(name(inode)) \(Self.text(flags))", caller)
    if flags & O_TRUNC != 0 { update(inode) { $0.bytes = [] } }
    return opened(inode, flags: flags)
  }

  func read(inode: UInt64, handle: UInt64, offset: Int64, size: Int) async throws(Errno) -> FuseData {
    try await enter(.read, name(inode))
    let bytes = (node(inode, \.bytes) ?? []).dropFirst(Int(offset)).prefix(size)
    let block = MemoryFileSystem.Block(Array(bytes))
    return FuseData(segments: [UnsafeRawBufferPointer(block.memory)], owner: block)
  }

  func release(inode: UInt64, handle: UInt64) {
    record(.release, name(inode), nil)
    state.withLock { _ = $0.handles.removeValue(forKey: handle) }
  }

  func openDirectory(inode: UInt64) async throws(Errno) -> FuseOpened { FuseOpened(handle: 1) }

  func readDirectory(inode: UInt64, handle: UInt64, cookie: UInt64, into reply: any FuseDirectoryReply) async throws(Errno) {
    let children = (node(inode, \.children) ?? [:]).sorted { $0.key < $1.key }
    for (index, child) in children.enumerated().dropFirst(Int(cookie)) {
      let kind = node(child.value, \.kind) ?? .file
      guard reply.add(name: Array(child.key.utf8), inode: child.value, kind: kind, next: UInt64(index + 1)) else { return }
    }
  }

  func releaseDirectory(inode: UInt64, handle: UInt64) {}

  func statistics() async throws(Errno) -> FuseStatistics {
    FuseStatistics(blockSize: 4096, blocks: 1 << 38, freeBlocks: 1 << 38, files: 1 << 32, freeFiles: 1 << 31, nameLength: 255)
  }
}

// MARK: - Changing

extension WritableFileSystem {
  func create(
    parent: UInt64, name: [UInt8], mode: UInt16, flags: Int32, caller: FuseCaller
  ) async throws(Errno) -> (FuseEntry, FuseOpened) {
    let text = String(decoding: name, as: UTF8.self)
    try await enter(.create, "\(text) \(Self.text(flags)) \(String(mode, radix: 8))", caller)
    let inode = child(parent, name) ?? add(.file, to: parent, text, mode: mode)
    return (try entry(inode), opened(inode, flags: flags))
  }

  func write(inode: UInt64, handle: UInt64, offset: Int64, bytes: [UInt8]) async throws(Errno) {
    try await enter(.write, "\(name(inode)) \(offset)+\(bytes.count)")
    guard state.withLock({ $0.handles[handle] }) == inode else { throw Errno(rawValue: EBADF) }
    update(inode) { node in
      let end = Int(offset) + bytes.count
      if node.bytes.count < end { node.bytes.append(contentsOf: repeatElement(0, count: end - node.bytes.count)) }
      node.bytes.replaceSubrange(Int(offset)..<end, with: bytes)
    }
  }

  func flush(inode: UInt64, handle: UInt64, caller: FuseCaller) async throws(Errno) {
    try await enter(.flush, name(inode), caller)
  }

  func fsync(inode: UInt64, handle: UInt64, caller: FuseCaller) async throws(Errno) {
    try await enter(.fsync, name(inode), caller)
  }

  func setAttributes(
    inode: UInt64, handle: UInt64?, changes: FuseAttributeChanges, caller: FuseCaller
  ) async throws(Errno) -> (FuseAttributes, Double) {
    var parts = [name(inode)]
    if let mode = changes.mode { parts.append("mode=\(String(mode, radix: 8))") }
    if let uid = changes.uid { parts.append("uid=\(uid)") }
    if let gid = changes.gid { parts.append("gid=\(gid)") }
    if let size = changes.size { parts.append("size=\(size)") }
    if changes.modified != nil { parts.append("modified") }
    if changes.accessed != nil { parts.append("accessed") }
    if handle != nil { parts.append("handle") }
    try await enter(.setattr, parts.joined(separator: " "), caller)
    update(inode) { node in
      node.mode = changes.mode ?? node.mode
      node.uid = changes.uid ?? node.uid
      node.gid = changes.gid ?? node.gid
      node.modified = changes.modified ?? node.modified
      if let size = changes.size {
        node.bytes = Array(node.bytes.prefix(Int(size))) + [UInt8](repeating: 0, count: max(0, Int(size) - node.bytes.count))
      }
    }
    return (try attributes(of: inode), 0)
  }

  func makeDirectory(parent: UInt64, name: [UInt8], mode: UInt16, caller: FuseCaller) async throws(Errno) -> FuseEntry {
    let text = String(decoding: name, as: UTF8.self)
    try await enter(.mkdir, "\(text) \(String(mode, radix: 8))", caller)
    return try entry(add(.directory, to: parent, text, mode: mode))
  }

  func removeDirectory(parent: UInt64, name: [UInt8], caller: FuseCaller) async throws(Errno) {
    try await enter(.rmdir, String(decoding: name, as: UTF8.self), caller)
    if let inode = child(parent, name), node(inode, \.children)?.isEmpty == false { throw Errno(rawValue: ENOTEMPTY) }
    update(parent) { $0.children[String(decoding: name, as: UTF8.self)] = nil }
  }

  func unlink(parent: UInt64, name: [UInt8], caller: FuseCaller) async throws(Errno) {
    try await enter(.unlink, String(decoding: name, as: UTF8.self), caller)
    update(parent) { $0.children[String(decoding: name, as: UTF8.self)] = nil }
  }

  func rename(
    parent: UInt64, name: [UInt8], newParent: UInt64, newName: [UInt8], flags: FuseRenameFlags, caller: FuseCaller
  ) async throws(Errno) {
    let old = String(decoding: name, as: UTF8.self)
    let new = String(decoding: newName, as: UTF8.self)
    let suffix = flags.contains(.noReplace) ? " noReplace" : flags.contains(.exchange) ? " exchange" : ""
    try await enter(.rename, "\(old) \(new)\(suffix)", caller)
    guard let inode = child(parent, name) else { throw Errno(rawValue: ENOENT) }
    let other = child(newParent, newName)
    if flags.contains(.noReplace), other != nil { throw Errno(rawValue: EEXIST) }
    update(parent) { $0.children[old] = flags.contains(.exchange) ? other : nil }
    update(newParent) { $0.children[new] = inode }
    update(inode) { $0.name = new }
    if flags.contains(.exchange), let other { update(other) { $0.name = old } }
    onRename(newParent, newName)
  }

  func copyRange(
    source: (inode: UInt64, handle: UInt64, offset: Int64), destination: (inode: UInt64, handle: UInt64, offset: Int64), count: Int
  ) async throws(Errno) -> Int {
    try await enter(.copyFileRange, "\(name(source.inode)) \(source.offset) \(name(destination.inode)) \(destination.offset) +\(count)")
    let bytes = Array((node(source.inode, \.bytes) ?? []).dropFirst(Int(source.offset)).prefix(count))
    update(destination.inode) { node in
      let start = Int(destination.offset)
      node.bytes = Array(node.bytes.prefix(start)) + bytes + node.bytes.dropFirst(start + bytes.count)
    }
    return bytes.count
  }
}
