internal import Glibc

/// Where PoCL keeps the kernels that it has compiled, which it runs when it meets them again.
enum CompilerCache {
    /// Without a home in the environment, as services are started, PoCL takes /tmp/pocl, which any user may have made and
    /// filled. Names the user's own folder instead; must be called before threads start.
    static func prepare() {
        for name in ["POCL_CACHE_DIR", "XDG_CACHE_HOME", "HOME"] {
            if let value = getenv(name), value.pointee != 0 { return }
        }
        var home: String?
        var facts = stat()
        if let place = getpwuid(geteuid())?.pointee.pw_dir, stat(place, &facts) == 0, facts.st_uid == geteuid() {
            home = String(cString: place)
        }
        // No folder is better than one of others.
        setenv("POCL_CACHE_DIR", home.map { "\($0)/.cache/pocl/kcache" } ?? "/dev/null/pocl", 1)
    }
}
