internal import Glibc

/// Where PoCL stores compiled kernels to run them again.
enum CompilerCache {
    /// Points PoCL to a folder of this user. Must be called before threads start.
    ///
    /// Without HOME in the environment, as in services, PoCL uses /tmp/pocl; another user may have put kernels there.
    static func prepare() {
        for name in ["POCL_CACHE_DIR", "XDG_CACHE_HOME", "HOME"] {
            if let value = getenv(name), value.pointee != 0 { return }
        }
        var home: String?
        var facts = stat()
        if let place = getpwuid(geteuid())?.pointee.pw_dir, stat(place, &facts) == 0, facts.st_uid == geteuid() {
            home = String(cString: place)
        }
        // Better no cache than a folder that another user can fill.
        setenv("POCL_CACHE_DIR", home.map { "\($0)/.cache/pocl/kcache" } ?? "/dev/null/pocl", 1)
    }
}
