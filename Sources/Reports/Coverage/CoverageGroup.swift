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
        var order: [String] = []
        var groups: [String: [FlowCoverage]] = [:]
        for flow in flows {
            let title = title(flow)
            if groups[title] == nil { order.append(title) }
            groups[title, default: []].append(flow)
        }
        return order.map { CoverageGroup(title: $0, flows: groups[$0] ?? []) }
    }
}
