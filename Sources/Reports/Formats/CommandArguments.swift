import FlowRuns

/// Arguments to repeat in suggested commands, which users can paste into a shell.
package struct CommandArguments: Sendable {
    /// The paths of the manifests and the target, quoted for a shell.
    let manifests: [String]
    /// The options that select flows.
    let selection: [String]

    package init(manifests: [String] = [], selection: [String] = []) {
        self.manifests = manifests
        self.selection = selection
    }

    /// Formats a command such as `sluice history manifests/ --target prod --flow ID --state failed`.
    ///
    /// - Parameters:
    ///   - name: The name of the command.
    ///   - options: The options of the command, in order.
    ///   - flow: The only flow to select; `nil` repeats the current selection.
    package func command(_ name: String, _ options: String..., flow: FlowID? = nil) -> String {
        (["sluice", name] + manifests + (flow.map { ["--flow", $0.description] } ?? selection) + options)
            .filter { !$0.isEmpty }.joined(separator: " ")
    }
}
