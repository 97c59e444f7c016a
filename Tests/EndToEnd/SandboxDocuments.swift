import Foundation
import Testing

/// The parts of a saved plan that the sandbox's test checks.
struct SandboxPlan: Decodable {
    struct Flow: Decodable {
        let name: String
        let actions: [Action]
        let held: [HeldWindow]
    }
    struct Action: Decodable { let kind: String }
    struct HeldWindow: Decodable { let cause: String }

    let summary: [String: Int]
    let flows: [Flow]

    /// The actions and the held windows of each flow by kind and cause, such as `create 4`; flows without any are
    /// left out.
    var counts: [String: [String]] {
        let counts = flows.map { flow in
            let words = flow.actions.map(\.kind) + flow.held.map(\.cause)
            return (flow.name, Set(words).sorted().map { word in "\(word) \(words.count { $0 == word })" })
        }
        return Dictionary(uniqueKeysWithValues: counts).filter { !$0.value.isEmpty }
    }
}

/// The parts of the history that the sandbox's test checks.
struct SandboxHistory: Decodable {
    struct Run: Decodable {
        struct Line: Decodable { let file: String? }

        let flowId: String
        let flowName: String?
        let state: String
        let origin: String
        let run: String?
        let request: String?
        let declaredBy: Line?
    }

    let runs: [Run]

    /// The number of runs that Sluice requested, by flow.
    var requestedByFlow: [String: Int] {
        Dictionary(grouping: runs.filter { $0.origin == "request" }, by: { $0.flowName ?? $0.flowId })
            .mapValues(\.count)
    }
}

/// The samples of one metric in the OpenMetrics format, by flow.
func samples(of metric: String, in text: String, state: String? = nil) -> [String: Int] {
    let lines = text.split(separator: "\n").filter { line in
        line.hasPrefix("\(metric){") && (state.map { line.contains("state=\"\($0)\"") } ?? true)
    }
    return Dictionary(
        uniqueKeysWithValues: lines.compactMap { line in
            guard let flow = line.firstMatch(of: /,flow="([^"]*)"/), let value = line.split(separator: " ").last
            else { return nil }
            return Int(value).map { (String(flow.output.1), $0) }
        })
}
