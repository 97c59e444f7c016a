/// What is asked for once: the ordinary run of a flow's window, or one rerun of it, whatever the attempt.
package struct RunKey: Hashable, Sendable {
    package let flow: FlowID
    /// `nil` only for a run found on the service whose window cannot be read.
    package let window: Window?
    /// The `id` of the manifest's `rerun`, `nil` for the window's ordinary run.
    package let rerun: String?

    package init(flow: FlowID, window: Window?, rerun: String? = nil) {
        self.flow = flow
        self.window = window
        self.rerun = rerun
    }
}
