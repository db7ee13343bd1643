/* Lets one system call of a process fail. The tests preload it (LD_PRELOAD) into a process that exports, over and over, and has
   another call fail each time. The process asks for it by looking for files that are not there:

       /failing-calls/N/ERROR   from now on, the Nth call that concerns FAILING_CALLS_UNDER fails with that number
       /failing-calls/fired     is there if it has

   FAILING_CALLS_LOG tells which call it was. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int left; /* calls until the one that fails; 0 for none */
static atomic_int fired;
static int error_number;

static void *(*find)(void *, const char *);

static void *real(const char *name) {
    if (!find) {
        /* dlsym is replaced here, too, and this is the one way to its own. */
        static const char *versions[] = {"GLIBC_2.34", "GLIBC_2.17", "GLIBC_2.2.5"};
        for (size_t i = 0; !find && i < sizeof versions / sizeof *versions; i++)
            find = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", versions[i]);
    }
    return find(RTLD_NEXT, name);
}

#define REAL(result, name, ...) \
    static result (*next)(__VA_ARGS__); \
    if (!next) next = (result (*)(__VA_ARGS__))real(name)

static int fails(const char *call, const char *path) {
    static const char *under;
    if (!under && !(under = getenv("FAILING_CALLS_UNDER"))) under = "/nowhere";
    if (!path || strncmp(path, under, strlen(under)) || atomic_load(&left) <= 0 || atomic_fetch_sub(&left, 1) != 1) return 0;

    FILE *log = getenv("FAILING_CALLS_LOG") ? fopen(getenv("FAILING_CALLS_LOG"), "a") : NULL;
    if (log) {
        fprintf(log, "%s %s\n", call, path + strlen(under));
        fclose(log);
    }
    atomic_store(&fired, 1);
    errno = error_number;
    return 1;
}

static int fails_on(const char *call, int descriptor) {
    REAL(ssize_t, "readlink", const char *, char *, size_t);
    char link[64], path[PATH_MAX];
    if (atomic_load(&left) <= 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = next(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(call, path);
}

/* Whether a path is a request of the test; the answer to it is in found. */
static int is_request(const char *path, int *found) {
    static const char prefix[] = "/failing-calls/";
    if (!path || strncmp(path, prefix, sizeof prefix - 1)) return 0;
    if (!strcmp(path + sizeof prefix - 1, "fired")) {
        *found = atomic_exchange(&fired, 0);
        atomic_store(&left, 0);
    } else {
        int count;
        *found = 0;
        if (sscanf(path + sizeof prefix - 1, "%d/%d", &count, &error_number) == 2) atomic_store(&left, count);
    }
    return 1;
}

#define ON_PATH(result, name, call, path, parameters, arguments, failure) \
    result name parameters { \
        static result (*next) parameters; \
        if (!next) next = (result (*) parameters)real(#name); \
        return fails(call, path) ? failure : next arguments; \
    }

#define ON_DESCRIPTOR(result, name, call, descriptor, parameters, arguments) \
    result name parameters { \
        static result (*next) parameters; \
        if (!next) next = (result (*) parameters)real(#name); \
        return fails_on(call, descriptor) ? -1 : next arguments; \
    }

#define STATUS(name, parameters, arguments) \
    int name parameters { \
        static int (*next) parameters; \
        int found; \
        if (!next) next = (int (*) parameters)real(#name); \
        if (is_request(path, &found)) { \
            errno = ENOENT; \
            return found ? (path = "/dev/null", next arguments) : -1; \
        } \
        return fails("stat", path) ? -1 : next arguments; \
    }

STATUS(__xstat64, (int version, const char *path, void *status), (version, path, status))
STATUS(__lxstat64, (int version, const char *path, void *status), (version, path, status))
STATUS(stat64, (const char *restrict path, struct stat64 *restrict status), (path, status))
STATUS(lstat64, (const char *restrict path, struct stat64 *restrict status), (path, status))
STATUS(access, (const char *path, int mode), (path, mode))

static int open_any(const char *name, const char *path, int flags, mode_t mode) {
    REAL(int, "open64", const char *, int, mode_t);
    return fails(name, path) ? -1 : next(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_any("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return open_any("open", path, flags, mode);
}

int close(int descriptor) {
    REAL(int, "close", int);
    int failed = fails_on("close", descriptor), number = errno, result = next(descriptor);
    if (failed) errno = number;
    return failed ? -1 : result;
}

int statx(int folder, const char *restrict path, int flags, unsigned mask, struct statx *restrict status) {
    REAL(int, "statx", int, const char *, int, unsigned, struct statx *);
    return (*path ? fails("statx", path) : fails_on("statx", folder)) ? -1 : next(folder, path, flags, mask, status);
}

ON_DESCRIPTOR(int, __fxstat64, "fstat", descriptor, (int version, int descriptor, void *status), (version, descriptor, status))
ON_DESCRIPTOR(int, fstat64, "fstat", descriptor, (int descriptor, struct stat64 *status), (descriptor, status))
ON_DESCRIPTOR(ssize_t, pread64, "pread", descriptor, (int descriptor, void *bytes, size_t count, off64_t offset), (descriptor, bytes, count, offset))
ON_DESCRIPTOR(ssize_t, read, "read", descriptor, (int descriptor, void *bytes, size_t count), (descriptor, bytes, count))
ON_DESCRIPTOR(ssize_t, pwrite64, "pwrite", descriptor, (int descriptor, const void *bytes, size_t count, off64_t offset), (descriptor, bytes, count, offset))
ON_DESCRIPTOR(ssize_t, write, "write", descriptor, (int descriptor, const void *bytes, size_t count), (descriptor, bytes, count))
ON_DESCRIPTOR(int, ftruncate64, "ftruncate", descriptor, (int descriptor, off64_t length), (descriptor, length))
ON_DESCRIPTOR(int, fallocate64, "fallocate", descriptor, (int descriptor, int mode, off64_t offset, off64_t length), (descriptor, mode, offset, length))
ON_DESCRIPTOR(int, fsync, "fsync", descriptor, (int descriptor), (descriptor))
ON_DESCRIPTOR(int, flock, "flock", descriptor, (int descriptor, int operation), (descriptor, operation))
ON_DESCRIPTOR(int, fchmod, "fchmod", descriptor, (int descriptor, mode_t mode), (descriptor, mode))
ON_PATH(int, chmod, "chmod", path, (const char *path, mode_t mode), (path, mode), -1)
ON_PATH(int, mkdir, "mkdir", path, (const char *path, mode_t mode), (path, mode), -1)
ON_PATH(int, rmdir, "rmdir", path, (const char *path), (path), -1)
ON_PATH(int, unlink, "unlink", path, (const char *path), (path), -1)
ON_PATH(int, rename, "rename", path, (const char *path, const char *target), (path, target), -1)
ON_PATH(int, renameat2, "renameat2", path, (int folder, const char *path, int other, const char *target, unsigned flags), (folder, path, other, target, flags), -1)
ON_PATH(ssize_t, readlink, "readlink", path, (const char *path, char *target, size_t size), (path, target, size), -1)
ON_PATH(ssize_t, listxattr, "listxattr", path, (const char *path, char *names, size_t size), (path, names, size), -1)
ON_PATH(DIR *, opendir, "opendir", path, (const char *path), (path), NULL)

/* .NET asks the C library for what it imports by name, and would pass by what is preloaded. */
void *dlsym(void *restrict library, const char *restrict name) {
    static const struct { const char *name; void *function; } ours[] = {
        {"open", open}, {"close", close}, {"statx", statx}, {"fsync", fsync}, {"flock", flock},
        {"mkdir", mkdir}, {"renameat2", renameat2}, {"listxattr", listxattr},
    };
    Dl_info info;
    real(name);
    void *found = find(library, name);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (!strcmp(name, ours[i].name) && found && dladdr(found, &info) && strstr(info.dli_fname, "libc.so")) return ours[i].function;
    return found;
}
