import FlowRuns
import Testing

@Suite("Run states")
struct RunStateTests {
    @Test("a rejected or released request stays as it is, and an ended run may only get another end")
    func finalStates() {
        for state in [RunState.rejected, .released] {
            #expect(RunState.allCases.allSatisfy { !state.canBecome($0) })
        }
        let ends = RunState.allCases.filter(\.hasEnded)
        for state in ends { #expect(RunState.allCases.filter(state.canBecome) == ends.filter { $0 != state }) }
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
