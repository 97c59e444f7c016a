/// Flows that the coverage page shows together: those of one manifest, or of one owner if each manifest has one flow.
struct CoverageGroup: Sendable {
    let title: String
    let flows: [FlowCoverage]

    /// Groups flows in the order in which the groups first occur.
    static func groups(of flows: [FlowCoverage]) -> [CoverageGroup] {
        let isByManifest = Set(flows.map(\.manifest)).count < flows.count
        func title(_ flow: FlowCoverage) -> String {
            let owner = flow.owner.map { "owned by \($0)" }
            guard isByManifest else { return owner ?? "without an owner" }
            return [flow.manifest, owner].compactMap(\.self).joined(separator: ", ")
        }
        return flows.groups(by: title).map { CoverageGroup(title: $0.key, flows: $0.elements) }
    }
}
