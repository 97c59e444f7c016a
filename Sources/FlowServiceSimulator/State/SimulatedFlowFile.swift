import FlowRuns
import Foundation

/// A reader of flow definitions: a JSON list of flows, or `{"items": [...]}` as returned by `GET /flows`, so that a
/// response from a real sandbox can be simulated.
///
/// The reader uses `id` (required), `name`, `state`, `scheduleParams.frequency` (default `once`), `flowSpec.id` and the
/// `deltaColumn` of the transformation `Copy`. Two more members do not exist in the service: `source` (`table` or
/// `file`; by default derived from a standard specification, otherwise `table`), and `times` (`any`, `string` or
/// `integer`, the type of a window's times in the flow's run specification).
package enum SimulatedFlowFile {
    /// Reads the flow definitions in a file.
    ///
    /// - Throws: ``SimulatedFlowFileError`` if the file cannot be read, or with the flow and member that is invalid.
    package static func read(path: String) throws(SimulatedFlowFileError) -> [SimulatedFlow] {
        do {
            return try flows(in: Data(contentsOf: URL(filePath: path)))
        } catch let error as SimulatedFlowFileError {
            throw SimulatedFlowFileError("\(path): \(error.reason)")
        } catch {
            throw SimulatedFlowFileError("\(path): cannot be read: \(error.localizedDescription)")
        }
    }

    /// Parses flow definitions.
    ///
    /// - Throws: ``SimulatedFlowFileError`` with the flow and member that is invalid.
    package static func flows(in text: Data) throws(SimulatedFlowFileError) -> [SimulatedFlow] {
        guard let json = JSONValue.parse(text) else { throw SimulatedFlowFileError("not JSON") }
        guard let items = json.array ?? json["items"]?.array else {
            throw SimulatedFlowFileError("expected a list of flows, or an object with a list 'items'")
        }
        var flows: [SimulatedFlow] = []
        var places: [FlowID: Int] = [:]
        for (place, item) in items.enumerated() {
            let flow = try SimulatedFlow(item, at: "flow \(place + 1)")
            if let earlier = places.updateValue(place, forKey: flow.id) {
                throw SimulatedFlowFileError("flow \(place + 1): flow \(earlier + 1) has the same id \(flow.id)")
            }
            flows.append(flow)
        }
        return flows
    }
}

/// The reason why a flow definition cannot be read.
package struct SimulatedFlowFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The problem and its location.
    package let reason: String
    package var description: String { reason }

    init(_ reason: String) { self.reason = reason }
}

extension SimulatedFlow {
    /// Parses a flow definition.
    ///
    /// - Parameter place: The name of the flow in error messages.
    init(_ json: JSONValue, at place: String) throws(SimulatedFlowFileError) {
        let definition = Definition(json: json, place: place)
        guard json.object != nil else { throw SimulatedFlowFileError("\(place): a flow must be an object") }
        guard let text = try definition.string("id") else { throw SimulatedFlowFileError("\(place): 'id' is missing") }
        guard let id = FlowID(text) else {
            throw SimulatedFlowFileError("\(place): 'id' must be a UUID: '\(text)'")
        }
        let copy = json["transformations"]?.array?.first { $0["name"]?.string?.lowercased() == "copy" }
        let column = try definition.deltaColumn(copy?["params"]?["deltaColumn"])
        let specification = try definition.specification(of: json["flowSpec"], hasColumn: column != nil)
        self.init(
            id: id, name: try definition.string("name"), source: specification.source,
            frequency: try definition.string("frequency", in: json["scheduleParams"]) ?? "once",
            state: try definition.string("state") ?? "enabled", deltaColumn: column, specification: specification)
    }
}

/// A flow definition in the file, with methods that validate its members.
private struct Definition {
    let json: JSONValue
    let place: String

    func string(_ key: String, in object: JSONValue? = nil) throws(SimulatedFlowFileError) -> String? {
        guard let value = (object ?? json)[key] else { return nil }
        guard let string = value.string else { throw SimulatedFlowFileError("\(place): '\(key)' must be a string") }
        return string
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, _: Choice.Type
    ) throws(SimulatedFlowFileError) -> Choice? where Choice.RawValue == String {
        guard let text = try string(key) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw SimulatedFlowFileError("\(place): '\(key)' is '\(text)'; known: \(known)")
        }
        return choice
    }

    func deltaColumn(_ value: JSONValue?) throws(SimulatedFlowFileError) -> DeltaColumn? {
        guard let value else { return nil }
        guard let name = try string("name", in: value) else {
            throw SimulatedFlowFileError("\(place): 'deltaColumn' needs a 'name'")
        }
        return DeltaColumn(
            name: name, dateFormat: try string("dateFormat", in: value), timezone: try string("timezone", in: value))
    }

    func specification(of value: JSONValue?, hasColumn: Bool) throws(SimulatedFlowFileError) -> FlowSpecification {
        let id = try value.map { value throws(SimulatedFlowFileError) in try string("id", in: value) } ?? nil
        let times = try choice("times", FlowSpecification.Times.self) ?? .any
        let standard = FlowSpecification.Times.allCases.flatMap { times in
            SourceKind.allCases.map { FlowSpecification.standard($0, times: times) }
        }
        let source = try choice("source", SourceKind.self) ?? standard.first { $0.id == id }?.source ?? .table
        if source == .file, hasColumn {
            throw SimulatedFlowFileError("\(place): a file-based flow has no delta column")
        }
        guard let id else { return .standard(source, times: times) }
        let name = try string("specificationName") ?? standard.first { $0.id == id }?.name ?? "Specification \(id)"
        return FlowSpecification(id: id, name: name, source: source, times: times)
    }
}
