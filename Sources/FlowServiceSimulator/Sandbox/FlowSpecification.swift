import FlowRuns
import RandomNumbers
import Text

/// What a flow is made after. Its `runSpec` tells what a run's `params` must look like: `GET /flowSpecs/{id}`.
package struct FlowSpecification: Hashable, Sendable {
    /// How the run specification wants the window's times. The tutorial sends strings, the tutorial on database sources
    /// declares integers, so both must be lived with.
    package enum Times: String, Hashable, Sendable, CaseIterable {
        /// The run specification leaves the type open; strings and integers are taken.
        case any
        /// `"type": "string"`; an integer is refused.
        case string
        /// As the tutorial on database sources declares it: integers, and all of `startTime`, `windowStartTime`,
        /// `windowEndTime` and (of a table) `deltaColumn` listed as required. A string is refused; what is listed as
        /// required beyond the window is not insisted on, just as the service takes the tutorials' requests.
        case integer
    }

    /// Opaque; the standard ones are UUIDs.
    package let id: String
    /// `CRMToAEP`, `CloudStorageToAEP`, …
    package let name: String
    /// Only a table's run specification knows `deltaColumn`.
    package let source: SourceKind
    /// What it wants of a window's times.
    package let times: Times

    /// A specification of one's own; see ``standard(_:times:)`` for the tutorials'.
    package init(id: String, name: String, source: SourceKind, times: Times = .any) {
        self.id = id
        self.name = name
        self.source = source
        self.times = times
    }

    /// The specification that the tutorials use for a source of this kind. One that wants its times in a certain type
    /// has an id of its own.
    package static func standard(_ source: SourceKind, times: Times = .any) -> FlowSpecification {
        let (id, name) =
            switch source {
            case .table: ("14518937-270c-4525-bdec-c2ba7cce3860", "CRMToAEP")
            case .file: ("9753525b-82c7-4dce-8a9b-5ccfce2b9876", "CloudStorageToAEP")
            }
        return FlowSpecification(
            id: times == .any ? id : "\(id)-\(times.rawValue)", name: name, source: source, times: times)
    }

    /// The connection specification of the data lake, where source flows write to.
    static let dataLake = "c604ff05-7f1a-43c0-8e18-33bf874cb11c"

    /// The connection specification of what its flows read from.
    var sourceConnection: String {
        var random = SeededGenerator(seed: stableHash(id), choice: "source connection")
        return random.uuid()
    }

    /// As `GET /flowSpecs` and `GET /flowSpecs/{id}` answer it.
    var answer: String {
        var json = JSONText()
        json.object {
            $0.member("id", id)
            $0.member("name", name)
            $0.member("version", "1.0")
            $0.object("runSpec") {
                $0.member("name", "RunSpec")
                $0.member("type", "JsonSchema")
                $0.object("spec") { writeSchema(to: &$0) }
            }
        }
        return json.text
    }

    private func writeSchema(to json: inout JSONText) {
        json.member("$schema", "http://json-schema.org/draft-07/schema#")
        json.member("type", "object")
        json.object("properties") {
            for (key, meaning) in [
                ("startTime", "When the run begins, in Unix time."),
                ("windowStartTime", "The start of the window, in Unix time."),
                ("windowEndTime", "The end of the window, in Unix time."),
            ] {
                $0.object(key) {
                    if times != .any { $0.member("type", times.rawValue) }
                    $0.member("description", meaning)
                }
            }
            if source == .table {
                $0.object("deltaColumn") {
                    $0.member("type", "object")
                    $0.object("properties") {
                        for key in ["name", "dateFormat", "timezone"] { $0.object(key) { $0.member("type", "string") } }
                    }
                    $0.array("required") { $0.element("name") }
                }
            }
        }
        json.array("required") {
            if times == .integer { $0.element("startTime") }
            $0.element("windowStartTime")
            $0.element("windowEndTime")
            if times == .integer, source == .table { $0.element("deltaColumn") }
        }
    }
}
