import FlowRuns

/// Entries of a flow that messages suggest, in the form in which a manifest takes them. `…` marks what only a person can
/// fill in.
package enum SuggestedYAML {
    /// Formats an entry of `acknowledged`.
    ///
    /// - Parameters:
    ///   - run: the run to acknowledge; `nil` for one without an ID.
    ///   - window: the window to acknowledge, as made by ``window(_:)``; `nil` for an entry without one.
    package static func acknowledgement(of run: RunID?, window: String? = nil) -> String {
        let id = run.map { FlowID($0.description) == nil ? yamlText($0.description) : $0.description } ?? "RUN"
        return "{run: \(id), reason: …\(window.map { ", window: \($0)" } ?? "")}"
    }

    /// Formats a window; `nil` for one that is not known.
    package static func window(_ window: Window?) -> String {
        "{start: \(window?.start.description ?? "…"), end: \(window?.end.description ?? "…")}"
    }

    /// Formats an entry of `rerun` for exactly one window.
    package static func rerun(of window: Window) -> String {
        "{start: \(window.start), end: \(window.end), id: …, reason: …}"
    }

    /// Formats the key `deltaColumn`.
    ///
    /// - Parameters:
    ///   - column: the column to format.
    ///   - missing: keys whose value is not known.
    package static func deltaColumn(_ column: DeltaColumn, missing: [String] = []) -> String {
        let given = [("name", column.name), ("dateFormat", column.dateFormat), ("timezone", column.timezone)]
        let members = given.compactMap { key, value in
            missing.contains(key) ? "\(key): …" : value.map { "\(key): \(yamlText($0))" }
        }
        return "deltaColumn: {\(members.joined(separator: ", "))}"
    }
}
