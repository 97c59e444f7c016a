import FlowRuns
import Foundation

/// What this machine remembers of a ledger outside of its file: the flow's revision at its last claim, and when that
/// was.
///
/// A backup that is put back, or a file that a CI cache brings, looks as sound as any, and knows nothing of the runs
/// that were requested since. So a ledger that lags behind its mark, or comes without one, is taken for a stranger: its
/// flows are compared with the service again before anything is sent. A mark that is lost costs such a comparison and
/// nothing else, so it is not synchronised with the disk.
struct ClaimMarks: Sendable {
    struct Mark: Hashable, Sendable {
        let revision: Int
        /// 0 when no claim is known.
        let claimedAt: Timestamp
    }

    private let folder: String
    private let target: String

    /// - Parameters:
    ///   - locks: of the same ledger; the marks stand beside them where there is no better place.
    ///   - stateFolder: where this machine keeps what is not to be copied along with the ledger.
    init(beside locks: FlowLockFiles, stateFolder: String?) {
        target = locks.target
        let place = stateFolder.map { "\($0)/sluice/" + FlowLockFiles.hash(locks.folder) }
        let isUsable = place.map { place in
            (try? FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)) != nil
        }
        folder = isUsable == true ? place ?? locks.folder : locks.folder
    }

    /// Of the last claim that was made on this machine.
    subscript(flow: FlowID) -> Mark? {
        let words = FileManager.default.contents(atPath: path(flow)).map {
            String(decoding: $0, as: UTF8.self).split(separator: " ")
        }
        guard let words, words.count == 2, let revision = Int(words[0]), let time = Int64(words[1]) else {
            return nil
        }
        return Mark(revision: revision, claimedAt: Timestamp(milliseconds: time))
    }

    func set(_ flow: FlowID, to mark: Mark) {
        try? Data("\(mark.revision) \(mark.claimedAt.milliseconds)".utf8).write(to: URL(filePath: path(flow)))
    }

    private func path(_ flow: FlowID) -> String { "\(folder)/\(target)-\(flow).claimed" }
}
