import FlowRuns
import Manifests
import Testing
import Text

@testable import Planner

@Suite("Planned actions")
struct PlannedActionsTests {
    /// Creates actions that are mostly in rows of equal steps, with occasional irregularities.
    private func random(_ generator: inout SeededGenerator) -> [PlannedAction] {
        var (start, line) = (Int64.random(in: -100...100, using: &generator), 10)
        return (0..<Int.random(in: 0...60, using: &generator)).map { _ in
            let length: Int64 = generator.happens(0.1) ? 7 : 10
            start += generator.happens(0.1) ? -25 : 10
            line += generator.happens(0.9) ? 1 : 3
            return PlannedAction(
                kind: generator.happens(0.05) ? .rerun : .create,
                window: Window(startSeconds: start, endSeconds: start + length)!,
                rerun: generator.happens(0.05) ? "fix" : nil, attempt: generator.happens(0.05) ? 2 : 1,
                reason: generator.happens(0.05) ? "lost" : "never run",
                place: Place(file: "a.yaml", line: line, column: generator.happens(0.05) ? 8 : 9),
                isOfSeries: generator.happens(0.05))
        }
    }

    @Test("the actions are the same in any compressed form")
    func sameAsArray() {
        for seed in 0..<500 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let plain = random(&generator)
            let actions = PlannedActions(plain)
            #expect(Array(actions) == plain, "seed \(seed)")
            #expect(actions.count == plain.count && actions.indices.map { actions[$0] } == plain, "seed \(seed)")
            let rest = actions.dropFirst(plain.count / 3)
            #expect(Array(rest) == Array(plain.dropFirst(plain.count / 3)), "seed \(seed)")
            #expect(PlannedActions(rest) == PlannedActions(Array(rest)), "seed \(seed)")
            var other = plain
            guard let last = other.popLast() else { continue }
            #expect(actions != PlannedActions(other) && actions.last == last, "seed \(seed)")
            #expect(Array(actions.replacingFirst(by: last)) == [last] + plain.dropFirst(), "seed \(seed)")
            let distances = zip(plain, plain.dropFirst()).map { $1.window.start - $0.window.start }
            #expect(Set(actions.neighbours.map { $1.window.start - $0.window.start }) == Set(distances), "seed \(seed)")
        }
    }

    @Test("sorting gives the same order as sorting an array", arguments: FlowDeclaration.Order.allCases)
    func sorted(_ order: FlowDeclaration.Order) {
        for seed in 0..<200 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var plain = random(&generator)
            if generator.happens(0.3) { plain.sort { $0.window < $1.window } }
            if generator.happens(0.3) { plain.reverse() }
            var actions = PlannedActions(plain)
            actions.sort(by: order.isSentBefore)
            let isInOrder = zip(actions, actions.dropFirst()).allSatisfy { !order.isSentBefore($1, $0) }
            #expect(isInOrder, "seed \(seed)")
            #expect(Set(actions) == Set(plain) && actions.count == plain.count, "seed \(seed)")
        }
    }
}
