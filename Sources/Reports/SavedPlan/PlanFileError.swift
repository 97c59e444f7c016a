import Planner

/// The reason why a saved plan is not applied.
package enum PlanFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file is not a plan: it is not JSON, is truncated, or is another document.
    case notAPlan(String)
    /// A newer Sluice wrote the plan.
    case newer(found: Int)
    /// The digest does not match the contents.
    case edited
    /// The digest matches, but a member is invalid. The values are the member's path and the problem.
    case invalid(at: String, String)
    /// The digest matches, but this version of Sluice would send different requests for the plan.
    case otherwiseToday

    package var description: String {
        switch self {
        case .notAPlan(let reason):
            "the file is not a saved plan: \(reason); 'sluice plan --out FILE' writes one"
        case .newer(let found):
            "the plan has format version \(found), and this sluice knows versions up to \(Plan.formatVersion): "
                + "use a newer sluice, or plan again"
        case .edited:
            "the plan was changed after it was made: its digest does not match; plan again, and do not edit or reformat "
                + "the file"
        case .invalid(let place, let reason): "the plan cannot be read: \(reason) at \(place); plan again"
        case .otherwiseToday:
            "the plan's requests are not those that this version of sluice would send for it; plan again"
        }
    }
}
