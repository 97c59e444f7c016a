/// Limits of a filter with several values, such as `id==A,B`.
package enum SeveralValues {
    /// Maximum IDs per filter. Keeps the URL below 2,000 characters, which all servers accept.
    package static let maxIDs = 50
}
