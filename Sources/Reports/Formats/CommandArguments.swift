import FlowRuns

/// What a command about the same manifests is called with, so that the commands in hints can be pasted into a shell.
package struct CommandArguments: Sendable {
    /// Paths and the target, as words of a shell.
    let manifests: [String]
    /// The choice of flows.
    let selection: [String]

    package init(manifests: [String] = [], selection: [String] = []) {
        self.manifests = manifests
        self.selection = selection
    }

    /// `sluice history manifests/ --target prod --flow ID --state failed`
    ///
    /// - Parameter flow: the only one that the command shall be about; `nil` for those that were chosen.
    package func command(_ name: String, _ options: String..., flow: FlowID? = nil) -> String {
        (["sluice", name] + manifests + (flow.map { ["--flow", $0.description] } ?? selection) + options)
            .joined(separator: " ")
    }
}
