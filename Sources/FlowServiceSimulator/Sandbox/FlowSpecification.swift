import FlowRuns
import Text

/// A flow specification, as returned by `GET /flowSpecs/{id}`. Its `runSpec` describes the `params` of a run.
package struct FlowSpecification: Hashable, Sendable {
    /// The type of a window's times in the run specification.
    ///
    /// The tutorial sends strings, and the tutorial on database sources declares integers, so clients must support
    /// both.
    package enum Times: String, Hashable, Sendable, CaseIterable {
        /// No type; strings and integers are accepted.
        case any
        /// The type `string`; integers are rejected.
        case string
        /// The type `integer`, as in the tutorial on database sources; strings are rejected.
        ///
        /// That tutorial lists `startTime`, `windowStartTime`, `windowEndTime` and, for a table, `deltaColumn` as
        /// required. The simulator requires only the window, because the service accepts the requests of the other
        /// tutorials.
        case integer
    }

    /// The opaque ID; the standard IDs are UUIDs.
    package let id: String
    /// The name, such as `CRMToAEP` or `CloudStorageToAEP`.
    package let name: String
    /// The kind of source. Only a table's run specification has a `deltaColumn`.
    package let source: SourceKind
    /// The type of a window's times.
    package let times: Times

    /// Creates a custom specification; see ``standard(_:times:)`` for those of the tutorials.
    package init(id: String, name: String, source: SourceKind, times: Times = .any) {
        self.id = id
        self.name = name
        self.source = source
        self.times = times
    }

    /// Returns the specification that the tutorials use for a kind of source.
    ///
    /// A specification that declares the type of its times has a different ID.
    package static func standard(_ source: SourceKind, times: Times = .any) -> FlowSpecification {
        let (id, name) =
            switch source {
            case .table: ("14518937-270c-4525-bdec-c2ba7cce3860", "CRMToAEP")
            case .file: ("9753525b-82c7-4dce-8a9b-5ccfce2b9876", "CloudStorageToAEP")
            }
        return FlowSpecification(
            id: times == .any ? id : "\(id)-\(times.rawValue)", name: name, source: source, times: times)
    }

    /// The connection specification of the data lake, the target of all source flows.
    static let dataLake = "c604ff05-7f1a-43c0-8e18-33bf874cb11c"

    /// The connection specification of the source.
    var sourceConnection: String {
        var random = SeededGenerator(seed: stableHash(id), choice: "source connection")
        return random.uuid()
    }

    /// The JSON that `GET /flowSpecs` and `GET /flowSpecs/{id}` return.
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
