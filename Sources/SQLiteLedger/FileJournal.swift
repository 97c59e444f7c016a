import FlowRuns
import Foundation
import Ledger
import Synchronization
import Text

/// The journal of a target: one folder per service, organization and sandbox, with one file per flow and one claim per
/// line.
///
/// Lines survive a killed process, but they are not synced to disk: after a power cut, the process that was about to
/// send the request is gone as well.
package struct FileJournal: ClaimJournal {
    /// The size in bytes above which a file is replaced by one with only the newest claims.
    var maxFileSize = 32_768
    private static let maxClaims = 200

    private let folder: String
    /// The folder of an earlier version, which kept the claims of shared ledgers apart. It is only read.
    private let olderFolder: String
    /// The time in seconds to wait for the lock of a file. A process holds the lock for less than a millisecond, unless
    /// the process is stopped while appending.
    var busyTimeout = LedgerFile.busyTimeout
    private let read = ReadClaims()

    /// Creates the journal of one target.
    ///
    /// - Parameters:
    ///   - stateFolder: The machine's folder for state that must not be copied with a ledger, such as `~/.local/state`.
    ///   - target: The target's identity.
    package init(stateFolder: String, target: String) {
        func folder(of target: String) -> String {
            let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._@"))
            let name = target.addingPercentEncoding(withAllowedCharacters: allowed) ?? target
            // File systems limit a name to 255 bytes.
            let bounded = name.utf8.count <= 200 ? name : name.prefix(180) + "-" + String(stableHash(name), radix: 16)
            return "\(stateFolder)/sluice/journal/\(bounded)"
        }
        self.folder = folder(of: target)
        olderFolder = folder(of: "shared " + target)
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
        var lines: [JournalLine] = []
        for folder in [olderFolder, folder] { lines += try Self.lines(at: "\(folder)/\(flow)") }
        return lines.reduce(into: []) { $1.apply(to: &$0) }
    }

    private static func lines(at path: String) throws(LedgerError) -> [JournalLine] {
        guard access(path, F_OK) == 0 || errno != ENOENT else { return [] }
        guard let data = FileManager.default.contents(atPath: path) else {
            let reason = access(path, R_OK) == 0 ? "" : ": \(String(cString: strerror(errno)))"
            throw .unusable("cannot read the journal of claims \(path)\(reason)")
        }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap(JournalLine.init)
    }

    @discardableResult
    package func add(_ claim: JournalClaim, of flow: FlowID) throws(LedgerError) -> [JournalClaim] {
        try append(JournalLine.lines(of: claim), to: flow)
    }

    package func remove(_ claims: [ClaimID], of flow: FlowID) throws(LedgerError) {
        if !claims.isEmpty { try append(claims.map { JournalLine(id: $0, content: .removal) }, to: flow) }
    }

    package func lastLedgerWasShared() -> Bool { FileManager.default.fileExists(atPath: sharedLedgerMark) }

    package func recordLedger(isShared: Bool) throws(LedgerError) {
        guard lastLedgerWasShared() != isShared else { return }
        if isShared {
            try create()
            guard FileManager.default.createFile(atPath: sharedLedgerMark, contents: nil) else {
                throw unwritable(sharedLedgerMark)
            }
        } else {
            guard unlink(sharedLedgerMark) == 0 || errno == ENOENT else { throw unwritable(sharedLedgerMark) }
        }
    }

    private var sharedLedgerMark: String { "\(folder)/shared-ledger" }

    /// - Returns: the claims before it.
    @discardableResult
    private func append(_ lines: [JournalLine], to flow: FlowID) throws(LedgerError) -> [JournalClaim] {
        let path = path(of: flow)
        let descriptor = try openLocked(path)
        defer { close(descriptor) }
        let known = read.claims(of: flow, FileVersion(descriptor))
        let earlier: [JournalClaim] = if let known { known } else { try claims(of: flow) }
        let all = lines.reduce(into: earlier) { $1.apply(to: &$0) }
        if lseek(descriptor, 0, SEEK_END) > maxFileSize {
            try replace(path, with: all.suffix(Self.maxClaims).flatMap(JournalLine.lines))
        } else {
            // The line feed before it ends what a kill may have left behind.
            let bytes = Array("\n\(lines.map(\.text).joined(separator: "\n"))\n".utf8)
            guard write(descriptor, bytes, bytes.count) == bytes.count else { throw unwritable(path) }
            read.keep(all, of: flow, FileVersion(descriptor))
        }
        return earlier
    }

    /// Opens and locks the flow's file, and retries if the file was replaced before the lock was acquired.
    private func openLocked(_ path: String) throws(LedgerError) -> Int32 {
        let end = ContinuousClock.now + .seconds(busyTimeout)
        while true {
            var descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0o600)
            if descriptor < 0, errno == ENOENT {
                try create()
                descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0o600)
            }
            guard descriptor >= 0 else { throw unwritable(path) }
            do throws(LedgerError) {
                try lock(descriptor, path, until: end)
                guard let opened = FileIdentity(descriptor: descriptor) else { throw unwritable(path) }
                if FileIdentity(path: path) == opened { return descriptor }
            } catch {
                close(descriptor)
                throw error
            }
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

    /// Replaces the file atomically, so that a killed process leaves the old file intact.
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

/// A cache of the claims in files that this process wrote last, which avoids reading the file for every claim.
private final class ReadClaims: Sendable {
    private let files = Mutex<[FlowID: (version: FileVersion, claims: [JournalClaim])]>([:])

    /// Returns the cached claims, or `nil` if the file has changed since.
    func claims(of flow: FlowID, _ version: FileVersion?) -> [JournalClaim]? {
        files.withLock { $0[flow].flatMap { $0.version == version ? $0.claims : nil } }
    }

    func keep(_ claims: [JournalClaim], of flow: FlowID, _ version: FileVersion?) {
        files.withLock { $0[flow] = version.map { ($0, claims) } }
    }
}

/// A fingerprint that changes with every write to a file, because a journal only grows, and with every replacement.
private struct FileVersion: Hashable {
    private let file: FileIdentity
    let size: Int
    private let changedAt: [Int]

    init?(_ descriptor: Int32) {
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { return nil }
        file = FileIdentity(information)
        size = Int(information.st_size)
        #if canImport(Darwin)
            let time = information.st_ctimespec
        #else
            let time = information.st_ctim
        #endif
        changedAt = [time.tv_sec, time.tv_nsec]
    }
}

/// A line of the journal: `ID MILLISECONDS` for a claim, `ID -` if the service sent no time, `ID @BOOT:MILLISECONDS` for the
/// boot clock when the claim of the line before was made, or `ID !` for a removed claim.
///
/// The boot clock has a line of its own so that earlier versions of this program, which ignore it, still read the claim.
private struct JournalLine {
    enum Content {
        case claim(Timestamp?)
        case madeAt(MachineInstant)
        case removal
    }

    let id: ClaimID
    let content: Content

    init(id: ClaimID, content: Content) {
        self.id = id
        self.content = content
    }

    static func lines(of claim: JournalClaim) -> [JournalLine] {
        [JournalLine(id: claim.id, content: .claim(claim.time))]
            + (claim.madeAt.map { [JournalLine(id: claim.id, content: .madeAt($0))] } ?? [])
    }

    /// Returns `nil` for a line truncated by a kill: the claim of such a line was never committed.
    init?(_ line: Substring) {
        let words = line.split(separator: " ")
        guard words.count == 2, let id = ClaimID(String(words[0])) else { return nil }
        switch words[1] {
        case "-": self.init(id: id, content: .claim(nil))
        case "!": self.init(id: id, content: .removal)
        case let word where word.hasPrefix("@"):
            let parts = word.dropFirst().split(separator: ":")
            guard parts.count == 2, let milliseconds = Int64(parts[1]) else { return nil }
            let instant = MachineInstant(boot: String(parts[0]), sinceBoot: .milliseconds(milliseconds))
            self.init(id: id, content: .madeAt(instant))
        default:
            guard let milliseconds = Int64(words[1]) else { return nil }
            self.init(id: id, content: .claim(Timestamp(milliseconds: milliseconds)))
        }
    }

    func apply(to claims: inout [JournalClaim]) {
        switch content {
        case .claim(let time): claims.append(JournalClaim(id: id, time: time))
        case .madeAt(let instant):
            guard let index = claims.lastIndex(where: { $0.id == id }) else { return }
            claims[index] = JournalClaim(id: id, time: claims[index].time, madeAt: instant)
        case .removal: claims.removeAll { $0.id == id }
        }
    }

    var text: String {
        switch content {
        case .claim(let time): "\(id) \(time.map { String($0.milliseconds) } ?? "-")"
        case .madeAt(let instant): "\(id) @\(instant.boot):\(instant.sinceBoot.milliseconds)"
        case .removal: "\(id) !"
        }
    }
}
