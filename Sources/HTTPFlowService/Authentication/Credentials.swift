import FlowService
import Text

/// Credentials for the service. Descriptions and dumps never contain the values.
package enum Credentials: Sendable {
    /// A token that was fetched elsewhere, and the API key of its client. The token cannot be renewed.
    case bearer(token: String, apiKey: String)
    /// OAuth server-to-server: tokens are fetched, shared and renewed. The API key is the client ID.
    case clientCredentials(ClientCredentials)
    /// No credentials: the embedded simulator receives a fixed, harmless token.
    case none

    /// Reads the credentials from `SLUICE_ACCESS_TOKEN` and `SLUICE_API_KEY`, or else from `SLUICE_CLIENT_ID`,
    /// `SLUICE_CLIENT_SECRET` and `SLUICE_SCOPES`. `SLUICE_TOKEN_URL` overrides the token address. An empty variable
    /// counts as missing. Other variables are ignored.
    ///
    /// - Throws: ``CredentialsError`` naming the missing variables, or the variable whose value cannot be sent.
    package static func fromEnvironment(_ environment: [String: String]) throws(CredentialsError) -> Credentials {
        func value(_ name: String, _ isValid: (String) -> Bool) throws(CredentialsError) -> String? {
            guard let value = environment[name]?.trimmingWhitespace, !value.isEmpty else { return nil }
            guard isValid(value) else { throw .malformed(variable: name) }
            return value
        }
        if let token = try value("SLUICE_ACCESS_TOKEN", \.isHeaderValue) {
            guard let apiKey = try value("SLUICE_API_KEY", \.isHeaderValue) else { throw .missing(["SLUICE_API_KEY"]) }
            return .bearer(token: token, apiKey: apiKey)
        }
        // The ID is also sent as a header. The secret and the scopes are sent in a form, which can hold any text.
        let client = [
            ("SLUICE_CLIENT_ID", try value("SLUICE_CLIENT_ID", \.isHeaderValue)),
            ("SLUICE_CLIENT_SECRET", try value("SLUICE_CLIENT_SECRET", \.isSingleLine)),
            ("SLUICE_SCOPES", try value("SLUICE_SCOPES", \.isSingleLine)),
        ]
        guard let id = client[0].1, let secret = client[1].1, let scopes = client[2].1 else {
            let missing = client.filter { $0.1 == nil }.map(\.0)
            throw missing.count == client.count ? .none : .missing(missing)
        }
        let address = try value("SLUICE_TOKEN_URL", \.isSingleLine) ?? ClientCredentials.adobeTokenAddress
        return .clientCredentials(ClientCredentials(id: id, secret: secret, scopes: scopes, tokenAddress: address))
    }

    /// The value of the `x-api-key` header.
    var apiKey: String {
        switch self {
        case .bearer(_, let apiKey): apiKey
        case .clientCredentials(let client): client.id
        case .none: "embedded"
        }
    }

    /// Values that must be redacted from all output.
    var secrets: [String] {
        switch self {
        case .bearer(let token, let apiKey): [token, apiKey]
        case .clientCredentials(let client): [client.secret, client.secret.formEncoded, client.id]
        case .none: []
        }
    }
}

/// The client of OAuth server-to-server authentication.
package struct ClientCredentials: Sendable {
    /// Adobe's token address (its authentication guide).
    package static let adobeTokenAddress = "https://ims-na1.adobelogin.com/ims/token/v3"

    let id: String
    let secret: String
    /// OAuth scopes, separated by commas.
    let scopes: String
    let tokenAddress: String

    /// - Parameters:
    ///   - id: The client ID, which is also the API key.
    ///   - secret: The client secret.
    ///   - scopes: OAuth scopes, separated by commas or spaces.
    ///   - tokenAddress: The address that issues tokens.
    package init(id: String, secret: String, scopes: String, tokenAddress: String = adobeTokenAddress) {
        self.id = id
        self.secret = secret
        self.scopes = scopes.split(whereSeparator: { $0 == "," || $0 == " " }).joined(separator: ",")
        self.tokenAddress = tokenAddress
    }
}

/// A reason why the environment contains no credentials. Contains names of variables, never their values.
package enum CredentialsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// None of the variables is set.
    case none
    /// Some variables are set, and the listed ones are missing.
    case missing([String])
    /// The value contains a line break, another character that cannot be sent, or more than 16,384 bytes.
    case malformed(variable: String)

    /// The variables to set or to correct.
    package var description: String {
        switch self {
        case .none:
            "no credentials: set SLUICE_ACCESS_TOKEN and SLUICE_API_KEY, "
                + "or SLUICE_CLIENT_ID, SLUICE_CLIENT_SECRET and SLUICE_SCOPES"
        case .missing(let variables):
            "incomplete credentials: also set \(variables.joined(separator: ", "))"
        case .malformed(let variable):
            "\(variable) has a line break, another character that cannot be sent, or more than 16,384 characters"
        }
    }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The kind of credentials.
    package var description: String {
        switch self {
        case .bearer: "an access token"
        case .clientCredentials: "client credentials"
        case .none: "no credentials"
        }
    }

    /// The same as ``description``.
    package var debugDescription: String { description }
    /// An empty mirror, so that `dump` does not show the secrets.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension ClientCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A fixed text without any value.
    package var description: String { "client credentials" }
    /// The same as ``description``.
    package var debugDescription: String { description }
    /// An empty mirror, so that `dump` does not show the secrets.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension String {
    /// Whether the text is a valid HTTP header value (RFC 9110, section 5.5), restricted to visible ASCII and inner
    /// spaces.
    var isHeaderValue: Bool {
        !isEmpty && utf8.count <= 16_384 && self == trimmingWhitespace && utf8.allSatisfy { (0x20..<0x7F).contains($0) }
    }

    /// Whether the text contains no control characters, such as line breaks, and at most 16,384 bytes.
    fileprivate var isSingleLine: Bool {
        utf8.count <= 16_384 && unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }

    var trimmingWhitespace: String {
        let start = drop(while: \.isWhitespace)
        return String(start.reversed().drop(while: \.isWhitespace).reversed())
    }
}
