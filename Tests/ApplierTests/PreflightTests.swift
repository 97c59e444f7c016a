import FlowRuns
import FlowService
import Manifests
import Planner
import Testing

@testable import Applier

@Suite("Checks before the first request")
struct PreflightTests {
    private static let id = FlowID("3abea21c-7e36-4be1-bec1-d3bad0e3e0de")!

    private func flow(frequency: String? = "once", state: String? = "enabled") -> ServiceFlow {
        ServiceFlow(
            id: Self.id, name: nil, state: state, specification: "spec", frequency: frequency, deltaColumn: nil)
    }

    private func check(
        _ flow: ServiceFlow?, _ specification: RunSpecification? = nil, source: SourceKind = .table,
        column: DeltaColumn? = nil, form: WireForm = WireForm()
    ) -> [Diagnostic] {
        let place = Place(file: "flows.yaml", line: 7, column: 15)
        let declaration = FlowDeclaration(
            id: Self.id, manifest: "m", target: "t", source: source,
            deltaColumn: column.map { DeclaredColumn(column: $0, place: place) }, place: place)
        let diagnostics = Preflight(wireForm: form).check(WatchedFlow(declaration), against: flow, specification)
        #expect(diagnostics.allSatisfy { $0.place == place })
        return diagnostics
    }

    /// The run specification from the tutorial on database sources.
    private let database = RunSpecification(
        types: [
            "startTime": "integer", "windowStartTime": "integer", "windowEndTime": "integer", "deltaColumn": "object",
        ], required: ["startTime", "windowStartTime", "windowEndTime", "deltaColumn"])

    @Test("a flow that is missing, not one-time, or disabled is an error")
    func flowItself() {
        #expect(check(nil).map(\.code) == [.flowNotFound])
        #expect(check(flow(frequency: "hour")).map(\.code) == [.flowNotOneTime])
        #expect(check(flow(state: "disabled")).map(\.code) == [.flowDisabled])
        #expect(check(flow()).isEmpty)
        #expect(check(flow(frequency: nil, state: nil)).isEmpty)
    }

    @Test("a wire form that contradicts the specification is a warning that names the setting")
    func wireForm() {
        let warnings = check(flow(), database)
        #expect(warnings.map(\.severity) == [.warning, .warning])
        #expect(warnings[0].suggestion?.contains("times: integer") == true)
        #expect(warnings[1].suggestion?.contains("startTime: now") == true)
        #expect(check(flow(), database, form: WireForm(times: .integer, startTime: .now)).isEmpty)
    }

    @Test("a delta column without a key that the specification requires is a warning that names the key")
    func column() {
        let strict = RunSpecification(
            types: database.types, required: [], requiredOfColumn: ["name", "dateFormat"])
        let form = WireForm(times: .integer, startTime: .now)
        let warnings = check(flow(), strict, column: DeltaColumn(name: "DOB"), form: form)
        #expect(warnings.map(\.severity) == [.warning])
        #expect(warnings.first?.suggestion?.contains("dateFormat: …") == true)
        let whole = DeltaColumn(name: "DOB", dateFormat: "yyyy")
        #expect(check(flow(), strict, column: whole, form: form).isEmpty)

        // Each suggestion is complete, so that following one does not undo another.
        let strictest = RunSpecification(
            types: database.types, required: [], requiredOfColumn: ["dateFormat", "name", "timezone"])
        let suggestions = check(flow(), strictest, column: DeltaColumn(name: "#1"), form: form).map(\.suggestion)
        let suggestion = "write 'deltaColumn: {name: \"#1\", dateFormat: …, timezone: …}'"
        #expect(suggestions == [suggestion, suggestion])
    }

    @Test("a file source whose specification requires a delta column is an error; other contradictions are warnings")
    func sourceKind() {
        let form = WireForm(times: .integer, startTime: .now)
        #expect(check(flow(), database, source: .file, form: form).hasErrors)
        let optional = RunSpecification(types: database.types, required: [])
        #expect(check(flow(), optional, source: .file, form: form).map(\.severity) == [.warning])
        let file = RunSpecification(types: ["windowStartTime": "integer"], required: [])
        #expect(check(flow(), file, form: form).map(\.severity) == [.warning])
    }
}
