import FlowRuns

/// `POST /runs/{id}/action?op=re-trigger`: one more run of the window of a run that failed. It has no body.
package struct RetriggerRequest: Hashable, Sendable {
    /// What follows the question mark.
    package static let query = "op=re-trigger"

    package let run: RunID

    package init(_ run: RunID) { self.run = run }

    /// - Parameter escape: makes the id fit for an address.
    package func path(escape: (String) -> String = { $0 }) -> String { "/runs/\(escape(run.description))/action" }

    /// Path and query, for showing.
    package var target: String { "\(path())?\(Self.query)" }
}
