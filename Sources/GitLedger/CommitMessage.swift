import FlowRuns
import Ledger
import Text

extension FlowCommit {
    private static let maxLines = 40

    /// The message of the Git commit, which lists the claims and results recorded. `git log` of a ref shows the flow's
    /// history.
    var message: String {
        let actions = changes.map(Action.init)
        var lines = [Action.summary(actions), ""] + actions.prefix(Self.maxLines).map(\.line)
        if actions.count > Self.maxLines { lines.append("… and \((actions.count - Self.maxLines).grouped) more") }
        if !actions.isEmpty { lines.append("") }
        let inserted = changes.compactMap { if case .insert(let entry) = $0 { entry } else { nil } }
        let provenance = inserted.lazy.map(\.provenance).first { $0 != Provenance() }
        let trailers: KeyValuePairs<String, String?> = [
            "Flow": record.id.description, "Revision": "\(record.revision.number) \(record.revision.token)",
            "Claim": inserted.lazy.compactMap(\.run.claim?.id.description).first,
            "Claimed-By": inserted.lazy.compactMap(\.run.claim?.owner).first,
            "Manifest-Commit": provenance?.commit, "Author": provenance?.author, "CI-Run": provenance?.ciRun,
        ]
        lines += trailers.compactMap { name, value in value.map { "\(name): \(printable($0))" } }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// A change in the words of a commit message.
private struct Action {
    private static let verbs = [
        "accepted", "rejected", "in doubt", "released", "claim", "found", "ended", "listed", "forgotten",
    ]

    let verb: String
    let identity: RunIdentity
    let detail: String

    var line: String { "\(verb) \(window)\(detail)" }

    private var window: String {
        let rerun = identity.rerun.map { ", rerun \(printable($0))" } ?? ""
        let attempt = identity.attempt > 1 ? ", attempt \(identity.attempt)" : ""
        return (identity.window.map { "\($0.start) … \($0.end)" } ?? "unknown window") + rerun + attempt
    }

    init(_ change: LedgerChange) {
        func short(_ reason: String) -> String { ": " + printable(String(reason.prefix(200))) }
        (verb, identity, detail) =
            switch change {
            case .insert(let entry) where entry.run.state == .intended:
                (
                    "claim", entry.run.identity,
                    entry.provenance.file.map { file in
                        " (\(printable(file))\(entry.provenance.line.map { ":\($0)" } ?? ""))"
                    } ?? ""
                )
            case .insert(let entry):
                ("found", entry.run.identity, entry.run.id.map { ": run \(printable($0.description))" } ?? "")
            case .update(let row, .outcome(.accepted(let run, _)), _):
                ("accepted", row, ": run \(printable(run.description))")
            case .update(let row, .outcome(.rejected(let reason, _)), _): ("rejected", row, short(reason))
            case .update(let row, .outcome(.inDoubt(let reason, _)), _): ("in doubt", row, short(reason))
            case .update(let row, .outcome(.released(let reason)), _): ("released", row, short(reason))
            case .update(let row, .observed(let run), _):
                (run.end == nil ? "listed" : "ended", row, ": \(printable(run.status))")
            case .update(let row, .window(let known), _):
                ("listed", row, known.window.map { ": window \($0.inWords)" } ?? "")
            case .remove(let row): ("forgotten", row, "")
            }
    }

    /// Summarizes the actions: `accepted 3 windows, 2024-05-01T00:00:00Z … 2024-05-04T00:00:00Z`.
    static func summary(_ actions: [Action]) -> String {
        let parts = verbs.compactMap { verb -> String? in
            let same = actions.filter { $0.verb == verb }
            let windows = same.compactMap(\.identity.window)
            guard same.count > 1, let start = windows.map(\.start).min(), let end = windows.map(\.end).max() else {
                let more = same.count > 1 ? " and \((same.count - 1).grouped) more" : ""
                return same.first.map { "\(verb) \($0.window)\(more)" }
            }
            return "\(verb) \(same.count.grouped) windows, \(start) … \(end)"
        }
        return parts.isEmpty ? "record when the flow was compared with the service" : parts.joined(separator: "; ")
    }
}
