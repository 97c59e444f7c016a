import FlowRuns

/// A flow as the service describes it.
package struct ServiceFlow: Hashable, Sendable {
    package let id: FlowID
    /// The display name of the flow.
    package let name: String?
    /// The flow's state: `enabled`, `disabled`, …
    package let state: String?
    /// The ID of the flow specification.
    package let specification: String?
    /// The schedule's frequency: `once`, `minute`, `hour`, `day` or `week`.
    package let frequency: String?
    /// The delta column of the `Copy` transformation.
    package let deltaColumn: DeltaColumn?
    /// The run named by `lastRunDetails`, if any.
    package let lastRun: RunID?

    /// Whether the flow accepts no runs: disabled, deleted or a draft.
    package var isDisabled: Bool { ["disabled", "deleted", "draft"].contains(state?.lowercased() ?? "") }

    package init(
        id: FlowID, name: String?, state: String?, specification: String?, frequency: String?,
        deltaColumn: DeltaColumn?, lastRun: RunID? = nil
    ) {
        self.id = id
        self.name = name
        self.state = state
        self.specification = specification
        self.frequency = frequency
        self.deltaColumn = deltaColumn
        self.lastRun = lastRun
    }
}

/// The required shape of a flow's run requests: the subset of JSON Schema (draft-07) that `runSpec.spec` uses.
package struct RunSpecification: Hashable, Sendable {
    /// The JSON type of each declared property: `integer`, `string`, `object`, …
    package let types: [String: String]
    /// Properties that a run request must contain.
    package let required: Set<String>
    /// Properties that the `deltaColumn` of a run request must contain, if present.
    package let requiredOfColumn: Set<String>

    package init(types: [String: String], required: Set<String>, requiredOfColumn: Set<String> = []) {
        self.types = types
        self.required = required
        self.requiredOfColumn = requiredOfColumn
    }
}
