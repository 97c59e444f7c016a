import Foundation
import Planner

@testable import Reports

extension FuzzTarget {
    /// Reads saved plans. A digest would reject nearly all mutations, so plans are also read without one: they must be
    /// rendered, saved and read back unchanged.
    static let plan = FuzzTarget(name: "Plan") { bytes in
        _ = try? readPlan(bytes)
        guard let plan = try? JSONDecoder().decode(SavedPlan.self, from: Data(bytes)).plan else { return }
        try expect(try readPlan(planJSON(plan)) == plan, "it reads otherwise than it was written")
        show(PlanReport(plan))
        for action in plan.flows.flatMap(\.actions) {
            try expect(action.window.start < action.window.end, "the window \(action.window)")
        }
    }
}
