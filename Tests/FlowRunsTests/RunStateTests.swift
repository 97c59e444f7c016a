import FlowRuns
import Testing

@Suite("Run states")
struct RunStateTests {
    @Test("nothing leaves a final state")
    func finalStates() {
        for state in [RunState.rejected, .released, .succeeded, .partial, .failed] {
            #expect(RunState.allCases.allSatisfy { !state.canBecome($0) })
        }
    }

    @Test("every state but 'intended' can be reached from it")
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
