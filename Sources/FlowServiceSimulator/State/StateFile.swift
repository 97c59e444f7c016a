import Foundation

/// The state file, an append-only log of events in JSON Lines.
///
/// Several processes can share a file: each one takes an exclusive `flock(2)`, and first reads what the others have
/// appended. The operating system releases the lock of a process that dies. A line that a crash left incomplete is
/// truncated; its request was never answered.
final class StateFile {
    private let path: String
    private let descriptor: Int32
    /// The number of bytes that this process has read; always at the end of a line.
    private var offset: off_t = 0
    private let decoder = JSONDecoder()

    /// Opens the file, and creates it if it is missing.
    init(path: String) throws(StateFileError) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw StateFileError(path, "cannot be opened: \(lastError())") }
    }

    deinit { close(descriptor) }

    /// Reads the new events and calls `work`, both under the lock.
    ///
    /// - Returns: `nil` if another process holds the lock; nothing was done.
    func withLock<Result>(
        onEvent: (SandboxEvent) -> Void, work: (StateFile) throws(StateFileError) -> Result
    ) throws(StateFileError) -> Result? {
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK || errno == EINTR { return nil }
            throw StateFileError(path, "cannot be locked: \(lastError())")
        }
        defer { flock(descriptor, LOCK_UN) }
        try readNew(onEvent)
        return try work(self)
    }

    /// Appends events and syncs the file to disk. Must be called under the lock.
    func append(_ events: [SandboxEvent]) throws(StateFileError) {
        guard !events.isEmpty else { return }
        try append(events.map(StateFileLine.line))
    }

    private func append(_ lines: [String]) throws(StateFileError) {
        let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw undone("cannot be written: \(lastError())") }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw undone("cannot be made durable: \(lastError())") }
        offset += off_t(bytes.count)
    }

    /// Removes the bytes of a failed append, and returns the error.
    private func undone(_ reason: String) -> StateFileError {
        ftruncate(descriptor, offset)
        return StateFileError(path, reason)
    }

    private func readNew(_ onEvent: (SandboxEvent) -> Void) throws(StateFileError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw StateFileError(path, "cannot be read: \(lastError())") }
        guard status.st_nlink > 0 else { throw StateFileError(path, "was removed while it was in use") }
        guard status.st_size >= offset else { throw StateFileError(path, "was cut while it was in use") }
        if status.st_size > offset { try parse(try readBytes(Int(status.st_size - offset)), onEvent) }
        if offset == 0 { try append([StateFileLine.header]) }
    }

    private func parse(_ bytes: [UInt8], _ onEvent: (SandboxEvent) -> Void) throws(StateFileError) {
        var start = bytes.startIndex
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = bytes[start..<end]
            if offset == 0 {
                guard line.elementsEqual(StateFileLine.header.utf8) else {
                    throw StateFileError(path, "is not a state file of this simulator, or is one of a newer version")
                }
            } else {
                guard let event = StateFileLine.event(Data(line), with: decoder) else {
                    throw StateFileError(path, "is damaged at byte \(offset)")
                }
                onEvent(event)
            }
            offset += off_t(line.count + 1)
            start = bytes.index(after: end)
        }
        // Only the owner of the lock writes, so an incomplete last line was left by a crash.
        guard start < bytes.endIndex else { return }
        guard offset > 0 || StateFileLine.header.utf8.starts(with: bytes[start...]) else {
            throw StateFileError(path, "is not a state file of this simulator")
        }
        guard ftruncate(descriptor, offset) == 0 else {
            throw StateFileError(path, "cannot be repaired: \(lastError())")
        }
    }

    private func readBytes(_ count: Int) throws(StateFileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress.map { $0 + filled }, $0.count - filled, offset + off_t(filled))
            }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { throw StateFileError(path, "cannot be read: \(lastError())") }
            filled += got
        }
        return bytes
    }
}

/// The reason why the state file cannot be used.
package struct StateFileError: Error, Hashable, Sendable, CustomStringConvertible {
    package let path: String
    /// The problem, worded to follow the path.
    package let reason: String
    package var description: String { "state file \(path) \(reason)" }

    init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
    }
}

private func lastError() -> String { String(cString: strerror(errno)) }
