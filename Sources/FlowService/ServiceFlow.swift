import FlowRuns

/// A flow as the service describes it.
package struct ServiceFlow: Hashable, Sendable {
    package let id: FlowID
    /// As people named it.
    package let name: String?
    /// `enabled`, `disabled`, …
    package let state: String?
    /// The id of its flow specification.
    package let specification: String?
    /// `once`, `minute`, `hour`, `day`, `week`.
    package let frequency: String?
    /// From the `Copy` transformation.
    package let deltaColumn: DeltaColumn?
    /// From `lastRunDetails`, where that names the run.
    package let lastRun: RunID?

    /// It takes no runs: disabled, deleted or a draft.
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

/// What a flow's runs must look like: the small part of JSON Schema (draft-07) that `runSpec.spec` uses.
package struct RunSpecification: Hashable, Sendable {
    /// The JSON type of each property that it declares: `integer`, `string`, `object`, …
    package let types: [String: String]
    /// The properties that a run must have.
    package let required: Set<String>
    /// The properties that its `deltaColumn` must have, where it has one.
    package let requiredOfColumn: Set<String>

    package init(types: [String: String], required: Set<String>, requiredOfColumn: Set<String> = []) {
        self.types = types
        self.required = required
        self.requiredOfColumn = requiredOfColumn
    }
}
