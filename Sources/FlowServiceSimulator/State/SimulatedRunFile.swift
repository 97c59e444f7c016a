import FlowRuns
import Foundation

/// A reader of runs of other clients: a JSON list of runs, or `{"items": [...]}` as returned by `GET /runs`, so that a
/// response from a real sandbox can be simulated.
///
/// The reader uses `flowId` and `createdAt` (milliseconds), both required; `params` (`windowStartTime`,
/// `windowEndTime`, `deltaColumn`, and `startTime` for a run that starts later); `createdClient`; and the result of the
/// run: `metrics.statusSummary.status`, or `outcome` (`success`, `partial`, `failed` or `empty`), which does not exist
/// in the service. A run that was created long ago has already ended when the simulation starts.
package enum SimulatedRunFile {
    /// Reads the runs in a file.
    ///
    /// - Throws: ``SimulatedRunFileError`` if the file cannot be read, or with the run and member that is invalid.
    package static func read(path: String) throws(SimulatedRunFileError) -> [ForeignRun] {
        do {
            return try runs(in: Data(contentsOf: URL(filePath: path)))
        } catch let error as SimulatedRunFileError {
            throw SimulatedRunFileError("\(path): \(error.reason)")
        } catch {
            throw SimulatedRunFileError("\(path): cannot be read: \(error.localizedDescription)")
        }
    }

    /// Parses runs.
    ///
    /// - Throws: ``SimulatedRunFileError`` with the run and member that is invalid.
    package static func runs(in text: Data) throws(SimulatedRunFileError) -> [ForeignRun] {
        guard let json = JSONValue.parse(text) else { throw SimulatedRunFileError("not JSON") }
        guard let items = json.array ?? json["items"]?.array else {
            throw SimulatedRunFileError("expected a list of runs, or an object with a list 'items'")
        }
        var runs: [ForeignRun] = []
        for (place, item) in items.enumerated() {
            do throws(ServiceError) { runs.append(try run(item)) } catch {
                throw SimulatedRunFileError("run \(place + 1): \(error.detail)")
            }
        }
        return runs
    }

    private static func run(_ json: JSONValue) throws(ServiceError) -> ForeignRun {
        guard let flow = json["flowId"]?.string.flatMap({ FlowID($0) }) else {
            throw .wrongType("flowId", expected: "a UUID")
        }
        guard let createdAt = json["createdAt"]?.integer else {
            throw .wrongType("createdAt", expected: "a Unix time in milliseconds")
        }
        let parameters = json["params"] == nil ? nil : try RunParameters(json["params"])
        return ForeignRun(
            flow: flow, window: parameters?.window, createdAt: Timestamp(milliseconds: createdAt),
            startTime: parameters?.startTime?.time, outcome: try outcome(of: json),
            deltaColumn: parameters?.deltaColumn, client: json["createdClient"]?.string ?? ForeignRun.userInterface)
    }

    private static func outcome(of json: JSONValue) throws(ServiceError) -> SimulatedOutcome {
        if let text = json["outcome"]?.string {
            guard let outcome = SimulatedOutcome(rawValue: text) else {
                let known = SimulatedOutcome.allCases.map(\.rawValue).joined(separator: ", ")
                throw .wrongType("outcome", expected: "one of: \(known)")
            }
            return outcome
        }
        let status = json["metrics"]?["statusSummary"]?["status"]?.string?.lowercased()
        let failed = json["metrics"]?["recordSummary"]?["failedRecordCount"]?.integer ?? 0
        switch status {
        case "failed": return .failed
        case "partialsuccess": return .partial
        default: return failed > 0 ? .partial : .success
        }
    }
}

/// The reason why a file of runs cannot be read.
package struct SimulatedRunFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The problem and its location.
    package let reason: String
    package var description: String { reason }

    init(_ reason: String) { self.reason = reason }
}
