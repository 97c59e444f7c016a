import FlowRuns
import Ledger
import Text

/// The message of a Git commit, which lists the claims and results recorded. `git log` of a ref shows the flow's
/// history.
struct CommitMessage {
    private static let maxLines = 40

    let text: String

    init(_ commit: FlowCommit) {
        let actions = commit.changes.map(Action.init)
        var lines = [Self.summary(actions), ""]
        lines += actions.prefix(Self.maxLines).map(\.line)
        if actions.count > Self.maxLines { lines.append("… and \((actions.count - Self.maxLines).grouped) more") }
        if !actions.isEmpty { lines.append("") }
        let inserted = commit.changes.compactMap { change -> LedgerEntry? in
            if case .insert(let entry) = change { entry } else { nil }
        }
        lines.append("Flow: \(commit.record.id)")
        lines.append("Revision: \(commit.record.revision.number) \(printable(commit.record.revision.token))")
        func trailer(_ name: String, _ value: String?) {
            if let value { lines.append("\(name): \(printable(value))") }
        }
        trailer("Claim", inserted.lazy.compactMap(\.run.claim?.id.description).first)
        trailer("Claimed-By", inserted.lazy.compactMap(\.run.claim?.owner).first)
        let provenance = inserted.lazy.map(\.provenance).first { $0 != Provenance() }
        trailer("Manifest-Commit", provenance?.commit)
        trailer("Author", provenance?.author)
        trailer("CI-Run", provenance?.ciRun)
        text = lines.joined(separator: "\n") + "\n"
    }

    /// Summarizes the actions: `accepted 3 windows, 2024-05-01T00:00:00Z … 2024-05-04T00:00:00Z`.
    private static func summary(_ actions: [Action]) -> String {
        var parts: [String] = []
        for verb in Action.verbs {
            let same = actions.filter { $0.verb == verb }
            guard let first = same.first else { continue }
            let windows = same.compactMap(\.identity.window)
            if same.count > 1, let start = windows.map(\.start).min(), let end = windows.map(\.end).max() {
                parts.append("\(verb) \(same.count.grouped) windows, \(start) … \(end)")
            } else {
                let more = same.count > 1 ? " and \((same.count - 1).grouped) more" : ""
                parts.append("\(verb) \(first.window)\(more)")
            }
        }
        return parts.isEmpty ? "record when the flow was compared with the service" : parts.joined(separator: "; ")
    }

    private struct Action {
        static let verbs = [
            "accepted", "rejected", "in doubt", "released", "claim", "found", "ended", "listed", "forgotten",
        ]

        let verb: String
        let identity: RunIdentity
        let window: String
        let detail: String

        var line: String { "\(verb) \(window)\(detail)" }

        init(_ change: LedgerChange) {
            switch change {
            case .insert(let entry):
                identity = entry.run.identity
                if entry.run.state == .intended {
                    (verb, detail) = (
                        "claim",
                        entry.provenance.file.map { file in
                            " (\(printable(file))\(entry.provenance.line.map { ":\($0)" } ?? ""))"
                        } ?? ""
                    )
                } else {
                    (verb, detail) = ("found", entry.run.id.map { ": run \(printable($0.description))" } ?? "")
                }
            case .update(let row, let update, _):
                identity = row
                switch update {
                case .outcome(.accepted(let run, _)):
                    (verb, detail) = ("accepted", ": run \(printable(run.description))")
                case .outcome(.rejected(let reason, _)): (verb, detail) = ("rejected", Self.short(reason))
                case .outcome(.inDoubt(let reason, _)): (verb, detail) = ("in doubt", Self.short(reason))
                case .outcome(.released(let reason)): (verb, detail) = ("released", Self.short(reason))
                case .observed(let run):
                    (verb, detail) = (run.end == nil ? "listed" : "ended", ": \(printable(run.status))")
                case .window(let known):
                    (verb, detail) = ("listed", known.window.map { ": window \($0.inWords)" } ?? "")
                }
            case .remove(let row): (verb, identity, detail) = ("forgotten", row, "")
            }
            let rerun = identity.rerun.map { ", rerun \(printable($0))" } ?? ""
            let attempt = identity.attempt > 1 ? ", attempt \(identity.attempt)" : ""
            window = (identity.window.map { "\($0.start) … \($0.end)" } ?? "unknown window") + rerun + attempt
        }

        private static func short(_ reason: String) -> String { ": " + printable(String(reason.prefix(200))) }
    }
}
