import FlowRuns
import Testing

@Suite("Run states")
struct RunStateTests {
    @Test("a final state does not change")
    func finalStates() {
        for state in [RunState.rejected, .released, .succeeded, .partial, .failed] {
            #expect(RunState.allCases.allSatisfy { !state.canBecome($0) })
        }
    }

    @Test("every other state can be reached from 'intended'")
    func reachable() {
        var reached: Set<RunState> = [.intended]
        var previous = 0
        while reached.count != previous {
            previous = reached.count
            for state in reached { reached.formUnion(RunState.allCases.filter(state.canBecome)) }
        }
        #expect(reached == Set(RunState.allCases))
    }
}
