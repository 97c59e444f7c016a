import Planner

/// Why a saved plan is not applied.
package enum PlanFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not a plan at all: not JSON, cut off, or another document.
    case notAPlan(String)
    /// Written by a newer Sluice.
    case newer(found: Int)
    /// Its digest does not hold.
    case edited
    /// Whole, but what it says cannot be; where, and what is wrong.
    case invalid(at: String, String)
    /// Whole, but this Sluice would write, and so send, something else for it.
    case otherwiseToday

    package var description: String {
        switch self {
        case .notAPlan(let reason):
            "the file is not a saved plan: \(reason); 'sluice plan --out FILE' writes one"
        case .newer(let found):
            "the plan has format version \(found), and this sluice knows versions up to \(Plan.formatVersion): "
                + "use a newer sluice, or plan again"
        case .edited:
            "the plan was changed after it was made: its digest does not hold; plan again, and do not edit or reformat "
                + "the file"
        case .invalid(let place, let reason): "the plan cannot be read: \(reason) at \(place); plan again"
        case .otherwiseToday:
            "the plan's requests are not those that this version of sluice would send for it; plan again"
        }
    }
}
