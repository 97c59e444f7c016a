import Foundation
import Planner

@testable import Reports

extension FuzzTarget {
    /// The reader of saved plans. Digests would refuse nearly all that a fuzzer writes, so the document is also read
    /// without: what can be read can be shown, and reads the same when it is saved and read again.
    static let plan = FuzzTarget(name: "Plan") { bytes in
        _ = try? readPlan(bytes)
        guard let plan = try? JSONDecoder().decode(PlanDocument.self, from: Data(bytes)).plan else { return }
        try expect(try readPlan(planJSON(plan)) == plan, "it reads otherwise than it was written")
        show(PlanReport(plan))
        for action in plan.flows.flatMap(\.actions) {
            try expect(action.window.start < action.window.end, "the window \(action.window)")
        }
    }
}
