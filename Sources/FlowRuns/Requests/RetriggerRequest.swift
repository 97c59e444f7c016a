/// A `POST /runs/{id}/action?op=re-trigger` request, which starts another run of an earlier run's window.
///
/// The request has no body.
package struct RetriggerRequest: Hashable, Sendable {
    /// The query, without the question mark.
    package static let query = "op=re-trigger"

    package let run: RunID

    package init(_ run: RunID) { self.run = run }

    /// Returns the path of the request.
    ///
    /// - Parameter escape: Percent-encodes the run ID for a URL.
    package func path(escape: (String) -> String = { $0 }) -> String { "/runs/\(escape(run.description))/action" }

    /// The unescaped path and query, for display.
    package var target: String { "\(path())?\(Self.query)" }
}
