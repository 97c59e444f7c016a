import FlowRuns
import Foundation
import Ledger
import Synchronization

/// One lock file for each flow, in a folder beside the ledger.
///
/// They are held with `flock`, because the operating system frees such a lock when its holder ends, however it ends:
/// by `kill -9`, too. It belongs to the open file, so two ledgers within one process exclude each other as well. It
/// survives `SIGSTOP`. A lock file is never deleted: somebody might be waiting for the deleted one while a third has
/// locked its successor.
struct FlowLockFiles: Sendable {
    let folder: String
    /// The target's identity, as it stands in file names.
    let target: String

    init(ledger path: String, target: String) {
        // However the ledger is reached, its locks are in one place.
        folder = URL(fileURLWithPath: path).resolvingSymlinksInPath().path + ".locks"
        self.target = Self.hash(target)
    }

    /// - Returns: `nil` when another holds the flow.
    func lock(_ flow: FlowID) throws(LedgerError) -> FlowLockFile? {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw .unusable("the folder \(folder) cannot be created")
        }
        let path = "\(folder)/\(target)-\(flow)"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .unusable("\(path): \(String(cString: strerror(errno)))") }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let reason = errno
            if reason == EINTR { continue }
            close(descriptor)
            if reason == EWOULDBLOCK { return nil }
            throw .unusable("\(path) cannot be locked: \(String(cString: strerror(reason)))")
        }
        return FlowLockFile(descriptor)
    }

    /// FNV-1a. Two targets that met in one hash would only wait for each other.
    static func hash(_ text: String) -> String {
        let hash: UInt64 = text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return String(hash, radix: 16)
    }
}

/// A locked file; closing it frees the lock.
final class FlowLockFile: FlowLock {
    let strangeClaimAt: Timestamp?
    private let descriptor: Mutex<Int32?>

    init(_ descriptor: Int32) {
        self.descriptor = Mutex(descriptor)
        strangeClaimAt = nil
    }

    /// Takes over the other, which is free of it then.
    init(_ other: FlowLockFile, strangeClaimAt: Timestamp?) {
        self.strangeClaimAt = strangeClaimAt
        descriptor = Mutex(
            other.descriptor.withLock { descriptor in
                defer { descriptor = nil }
                return descriptor
            })
    }

    deinit { free() }

    func release() { free() }

    private func free() {
        descriptor.withLock {
            if let open = $0 { close(open) }
            $0 = nil
        }
    }
}
