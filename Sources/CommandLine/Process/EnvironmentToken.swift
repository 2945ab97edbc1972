internal import Glibc

/// The job's secret in the environment variable `TRIBUTARY_TOKEN`.
enum EnvironmentToken {
    /// nil if it is not set or empty. The first use removes it from the environment, so it must come before threads start.
    static let value: String? = take()

    /// Children do not inherit the variable, and `/proc/PID/environ`, which shows this memory, no longer has its text.
    private static func take() -> String? {
        guard let place = getenv("TRIBUTARY_TOKEN") else { return nil }
        let text = String(cString: place)
        memset(place, 0, strlen(place))
        unsetenv("TRIBUTARY_TOKEN")
        return text.isEmpty ? nil : text
    }
}
