import FlowRuns
import Foundation
import Text

/// A line of the state file in JSON.
///
/// Lines are written without `Codable` for stable bytes, and read with `Codable` because a file may contain many lines.
enum StateFileLine {
    /// The first line of a state file.
    static let header = #"{"format":"sluice flow service simulator","version":1}"#

    static func line(_ event: SandboxEvent) -> String {
        var json = JSONText()
        json.object {
            switch event {
            case .flow(let flow): $0.object("flow") { flow.writeStored(to: &$0) }
            case .run(let run):
                $0.object("run") {
                    $0.member("id", run.id)
                    $0.member("flowId", run.flow.description)
                    $0.member("createdAt", run.createdAt.milliseconds)
                    $0.member("outcome", run.outcome.rawValue)
                    $0.member("origin", run.origin.rawValue)
                    $0.member("client", run.client)
                    $0.member("startsAt", run.startsAt.milliseconds)
                    $0.member("endsAt", run.endsAt.milliseconds)
                    $0.member("listedAt", run.listedAt.milliseconds)
                    $0.member("tellsWindowAt", run.windowListedAt.milliseconds)
                    if let parameters = run.parameters { $0.object("params") { parameters.write(to: &$0) } }
                }
            }
        }
        return json.text
    }

    /// Parses a line; returns `nil` if this version does not write such a line.
    static func event(_ line: Data, with decoder: JSONDecoder) -> SandboxEvent? {
        guard let stored = try? decoder.decode(StoredLine.self, from: line) else { return nil }
        if let run = stored.run?.run { return .run(run) }
        guard let flow = stored.flow, let flow = try? SimulatedFlow(flow, at: "the flow") else { return nil }
        return .flow(flow)
    }
}

private struct StoredLine: Decodable {
    let run: StoredRun?
    let flow: JSONValue?
}

private struct StoredRun: Decodable {
    let id: String
    let flowId: String
    let createdAt: Int64
    let outcome: SimulatedOutcome
    let origin: SimulatedOrigin
    let params: RunParameters?
    // Optional, because earlier versions did not write these members.
    let client: String?
    let startsAt: Int64?
    let endsAt: Int64?
    let listedAt: Int64?
    let tellsWindowAt: Int64?

    var run: SimulatedRun? {
        guard let flow = FlowID(flowId) else { return nil }
        let pace = RunPace()
        let created = Timestamp(milliseconds: createdAt)
        func time(_ stored: Int64?) -> Timestamp? { stored.map { Timestamp(milliseconds: $0) } }
        let starts = time(startsAt) ?? created + pace.scheduled
        return SimulatedRun(
            id: id, flow: flow, parameters: params, createdAt: created, client: client ?? "simulator", origin: origin,
            outcome: outcome, startsAt: starts, endsAt: time(endsAt) ?? starts + pace.inProgress,
            listedAt: time(listedAt) ?? created, windowListedAt: time(tellsWindowAt) ?? created)
    }
}

extension RunParameters: Decodable {
    private enum Key: CodingKey { case windowStartTime, windowEndTime, deltaColumn, startTime }

    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Key.self)
        let column = try members.decodeIfPresent(StoredColumn.self, forKey: .deltaColumn)
        self.init(
            windowStart: try members.decode(WireTime.self, forKey: .windowStartTime),
            windowEnd: try members.decode(WireTime.self, forKey: .windowEndTime),
            deltaColumn: column.map { DeltaColumn(name: $0.name, dateFormat: $0.dateFormat, timezone: $0.timezone) },
            startTime: try members.decodeIfPresent(WireTime.self, forKey: .startTime))
    }

    private struct StoredColumn: Decodable {
        let name: String
        let dateFormat: String?
        let timezone: String?
    }
}

extension WireTime: Decodable {
    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let text = try? value.decode(String.self) {
            guard let time = WireTime(text) else {
                throw DecodingError.dataCorruptedError(in: value, debugDescription: "not a time")
            }
            self = time
        } else {
            self = .integer(try value.decode(Int64.self))
        }
    }
}
