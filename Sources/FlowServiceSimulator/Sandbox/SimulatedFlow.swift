import FlowRuns
import RunRequests
import Text

/// A dataflow of the simulated sandbox.
package struct SimulatedFlow: Hashable, Sendable {
    package let id: FlowID
    package let name: String
    package let source: SourceKind
    /// `once`, `minute`, `hour`, `day`, `week`. Only `once` is one-time ingestion, which `POST /runs` is for.
    package let frequency: String
    /// `enabled` or `disabled`; a disabled flow takes no run.
    package let state: String
    /// The column in the flow's `Copy` transformation. Given here, the flow needs none with its first run.
    package let deltaColumn: DeltaColumn?
    /// What a run's `params` must look like.
    package let specification: FlowSpecification

    /// An enabled flow that is scheduled for one-time ingestion, unless told otherwise.
    ///
    /// - Parameters:
    ///   - name: `nil` names it after its id.
    ///   - specification: `nil` takes the standard one of the source kind.
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

    /// The members that say what the flow is, the same in an answer of the service, in `--flows FILE` and in the
    /// state file.
    ///
    /// - Parameter column: the column in the `Copy` transformation by now.
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

    /// As the state file keeps it: a definition and what an answer of the service does not tell.
    func writeStored(to json: inout JSONText) {
        json.member("id", id.description)
        writeDefinition(to: &json, column: deltaColumn)
        json.member("source", source.rawValue)
        json.member("specificationName", specification.name)
        json.member("times", specification.times.rawValue)
    }
}
