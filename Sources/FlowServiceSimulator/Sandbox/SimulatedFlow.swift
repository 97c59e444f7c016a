import FlowRuns
import Text

/// A dataflow of the simulated sandbox.
package struct SimulatedFlow: Hashable, Sendable {
    package let id: FlowID
    package let name: String
    package let source: SourceKind
    /// The frequency: `once`, `minute`, `hour`, `day` or `week`. `POST /runs` requires `once`, which is one-time
    /// ingestion.
    package let frequency: String
    /// The state, `enabled` or `disabled`; a disabled flow accepts no runs.
    package let state: String
    /// The column in the flow's `Copy` transformation; `nil` if the flow's first run must set the column.
    package let deltaColumn: DeltaColumn?
    /// The flow specification, which describes a run's `params`.
    package let specification: FlowSpecification

    /// Creates a flow; by default an enabled one with one-time ingestion.
    ///
    /// - Parameters:
    ///   - id: The ID of the flow.
    ///   - name: The name; `nil` derives a name from the ID.
    ///   - source: The kind of source.
    ///   - frequency: The frequency of the schedule; `once` for one-time ingestion.
    ///   - state: The state, such as `enabled`.
    ///   - deltaColumn: The delta column in the copy transformation; `nil` for none.
    ///   - specification: The flow specification; `nil` selects the standard one for the kind of source.
    package init(
        id: FlowID, name: String? = nil, source: SourceKind, frequency: String = "once", state: String = "enabled",
        deltaColumn: DeltaColumn? = nil, specification: FlowSpecification? = nil
    ) {
        self.id = id
        self.name = name ?? "Flow \(id)"
        self.source = source
        self.frequency = frequency
        self.state = state
        self.deltaColumn = deltaColumn
        self.specification = specification ?? .standard(source)
    }

    var isOneTime: Bool { frequency == "once" }

    /// Writes the members that define the flow, which are the same in responses, in `--flows FILE` and in the state
    /// file.
    ///
    /// - Parameter column: The current column in the `Copy` transformation.
    func writeDefinition(to json: inout JSONText, column: DeltaColumn?) {
        json.member("name", name)
        json.object("flowSpec") {
            $0.member("id", specification.id)
            $0.member("version", "1.0")
        }
        json.member("state", state)
        json.object("scheduleParams") {
            $0.member("startTime", "1651584991")
            $0.member("frequency", frequency)
            if !isOneTime {
                $0.member("interval", 1)
                $0.member("backfill", true)
            }
        }
        json.array("transformations") {
            if let column {
                $0.element {
                    $0.member("name", "Copy")
                    $0.object("params") { $0.object("deltaColumn") { $0.members(of: column) } }
                }
            }
            $0.element {
                $0.member("name", "Mapping")
                $0.object("params") {
                    $0.member("mappingId", id.description.filter { $0 != "-" })
                    $0.member("mappingVersion", 0)
                }
            }
        }
    }

    /// Writes the members for the state file: the definition, and the properties that responses do not contain.
    func writeStored(to json: inout JSONText) {
        json.member("id", id.description)
        writeDefinition(to: &json, column: deltaColumn)
        json.member("source", source.rawValue)
        json.member("specificationName", specification.name)
        json.member("times", specification.times.rawValue)
    }
}
