import FlowRuns
import Foundation
import Ledger
import Synchronization
import Text

/// The journal of an embedded ledger: a folder for each service, organisation and sandbox, and in it a file for each
/// flow, one claim a line.
///
/// It outlives the process and need not outlive a power cut, after which the machine has lost what it was about to send.
package struct FileJournal: ClaimJournal {
    /// A file that has grown beyond this gives way to one with its last claims.
    private static let longestFile = 16_384
    private static let keptClaims = 200

    private let folder: String
    /// How long to wait for another process to add its line, in seconds. It takes less than a millisecond, unless the
    /// process was stopped meanwhile.
    var busyTimeout = LedgerFile.busyTimeout
    private let read = ReadClaims()

    /// - Parameters:
    ///   - stateFolder: where this machine keeps what is not to be copied along with a ledger, such as
    ///     `~/.local/state`.
    ///   - target: the target's identity.
    package init(stateFolder: String, target: String) {
        let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._@"))
        let name = target.addingPercentEncoding(withAllowedCharacters: allowed) ?? target
        // File systems allow 255 bytes for a name.
        let bounded = name.utf8.count <= 200 ? name : name.prefix(180) + "-" + String(stableHash(name), radix: 16)
        folder = "\(stateFolder)/sluice/journal/\(bounded)"
    }

    package func exists() -> Bool { FileManager.default.fileExists(atPath: folder) }

    package func create() throws(LedgerError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw .unusable(
                "cannot create the folder \(folder) for the journal of claims: \(LedgerFolder.failure(of: folder))")
        }
    }

    package func claims(of flow: FlowID) throws(LedgerError) -> [JournalClaim] {
        let path = path(of: flow)
        guard access(path, F_OK) == 0 || errno != ENOENT else { return [] }
        guard let data = FileManager.default.contents(atPath: path) else {
            let reason = access(path, R_OK) == 0 ? "" : ": \(String(cString: strerror(errno)))"
            throw .unusable("cannot read the journal of claims \(path)\(reason)")
        }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap(JournalLine.init)
        let withdrawn = Set(lines.filter(\.isWithdrawal).map(\.id))
        return lines.filter { !$0.isWithdrawal && !withdrawn.contains($0.id) }.map {
            JournalClaim(id: $0.id, time: $0.time)
        }
    }

    @discardableResult
    package func add(_ claim: JournalClaim, of flow: FlowID) throws(LedgerError) -> [JournalClaim] {
        try append(JournalLine(id: claim.id, time: claim.time), of: flow)
    }

    package func withdraw(_ claim: ClaimID, of flow: FlowID) throws(LedgerError) {
        try append(JournalLine(id: claim, time: nil, isWithdrawal: true), of: flow)
    }

    /// - Returns: the claims before it.
    @discardableResult
    private func append(_ line: JournalLine, of flow: FlowID) throws(LedgerError) -> [JournalClaim] {
        let path = path(of: flow)
        let descriptor = try openLocked(path)
        defer { close(descriptor) }
        let version = FileVersion(descriptor)
        let known = read.claims(of: flow, version)
        // Foundation loses memory with each empty file that it reads.
        let earlier =
            if version?.size == 0 { [JournalClaim]() } else if let known { known } else { try claims(of: flow) }
        if lseek(descriptor, 0, SEEK_END) > Self.longestFile {
            let kept = earlier.suffix(Self.keptClaims).map { JournalLine(id: $0.id, time: $0.time) }
            try replace(path, with: kept + [line])
        } else {
            // The line feed before it ends what a kill may have left behind.
            let bytes = Array("\n\(line.text)\n".utf8)
            guard write(descriptor, bytes, bytes.count) == bytes.count else { throw unwritable(path) }
            read.keep(line.added(to: earlier), of: flow, FileVersion(descriptor))
        }
        return earlier
    }

    /// Opens the flow's file and locks it; again where it was replaced meanwhile.
    private func openLocked(_ path: String) throws(LedgerError) -> Int32 {
        let end = ContinuousClock.now + .seconds(busyTimeout)
        while true {
            var descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0o600)
            if descriptor < 0, errno == ENOENT {
                try create()
                descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0o600)
            }
            guard descriptor >= 0 else { throw unwritable(path) }
            var (opened, there) = (stat(), stat())
            do throws(LedgerError) {
                try lock(descriptor, path, until: end)
                guard fstat(descriptor, &opened) == 0 else { throw unwritable(path) }
            } catch {
                close(descriptor)
                throw error
            }
            if stat(path, &there) == 0, opened.st_ino == there.st_ino { return descriptor }
            close(descriptor)
        }
    }

    private func lock(_ descriptor: Int32, _ path: String, until end: ContinuousClock.Instant) throws(LedgerError) {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw unwritable(path) }
            guard .now < end else { throw .busy("another process holds the journal of claims \(path)") }
            Thread.sleep(forTimeInterval: 0.002)
        }
    }

    /// By a whole file: what is killed half-way leaves the old one.
    private func replace(_ path: String, with lines: [JournalLine]) throws(LedgerError) {
        do {
            let text = lines.map(\.text).joined(separator: "\n") + "\n"
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch { throw .unusable("cannot write the journal of claims \(path): \(error.localizedDescription)") }
    }

    private func path(of flow: FlowID) -> String { "\(folder)/\(flow)" }

    private func unwritable(_ path: String) -> LedgerError {
        .unusable("cannot write the journal of claims \(path): \(String(cString: strerror(errno)))")
    }
}

/// The claims of files that this process was the last to write to, so that they need not be read with each claim.
private final class ReadClaims: Sendable {
    private let files = Mutex<[FlowID: (version: FileVersion, claims: [JournalClaim])]>([:])

    /// `nil` where the file is not as it was left.
    func claims(of flow: FlowID, _ version: FileVersion?) -> [JournalClaim]? {
        files.withLock { $0[flow].flatMap { $0.version == version ? $0.claims : nil } }
    }

    func keep(_ claims: [JournalClaim], of flow: FlowID, _ version: FileVersion?) {
        files.withLock { $0[flow] = version.map { ($0, claims) } }
    }
}

/// What changes whenever a file is written to or replaced. A journal only grows.
private struct FileVersion: Hashable {
    private let number: UInt64
    let size: Int
    private let changedAt: [Int]

    init?(_ descriptor: Int32) {
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { return nil }
        number = UInt64(information.st_ino)
        size = Int(information.st_size)
        #if canImport(Darwin)
            let time = information.st_ctimespec
        #else
            let time = information.st_ctim
        #endif
        changedAt = [time.tv_sec, time.tv_nsec]
    }
}

/// `ID MILLISECONDS`, `ID -` where the service told no time, `ID !` for a claim that was taken back.
private struct JournalLine {
    let id: ClaimID
    let time: Timestamp?
    var isWithdrawal = false

    init(id: ClaimID, time: Timestamp?, isWithdrawal: Bool = false) {
        self.id = id
        self.time = time
        self.isWithdrawal = isWithdrawal
    }

    /// `nil` for a line that a kill has cut off: its claim was never committed.
    init?(_ line: Substring) {
        let words = line.split(separator: " ")
        guard words.count == 2, let id = ClaimID(String(words[0])) else { return nil }
        switch words[1] {
        case "-": self.init(id: id, time: nil)
        case "!": self.init(id: id, time: nil, isWithdrawal: true)
        default:
            guard let milliseconds = Int64(words[1]) else { return nil }
            self.init(id: id, time: Timestamp(milliseconds: milliseconds))
        }
    }

    func added(to claims: [JournalClaim]) -> [JournalClaim] {
        isWithdrawal ? claims.filter { $0.id != id } : claims + [JournalClaim(id: id, time: time)]
    }

    var text: String { "\(id) \(isWithdrawal ? "!" : time.map { String($0.milliseconds) } ?? "-")" }
}
