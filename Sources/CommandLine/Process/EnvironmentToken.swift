internal import Glibc

/// The job's secret in the environment variable `TRIBUTARY_TOKEN`.
enum EnvironmentToken {
    /// nil where it is not set or empty. Must be asked for before threads start: it is taken out of the environment.
    static let value: String? = take()

    /// No child gets the variable, and its text is gone from `/proc/PID/environ`, which shows the memory that it stood in.
    private static func take() -> String? {
        guard let place = getenv("TRIBUTARY_TOKEN") else { return nil }
        let text = String(cString: place)
        memset(place, 0, strlen(place))
        unsetenv("TRIBUTARY_TOKEN")
        return text.isEmpty ? nil : text
    }
}
