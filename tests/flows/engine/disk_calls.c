/* Reports the calls that change a disk to a function of the process's own, which may fail or end them.
 *
 * Loaded by LD_PRELOAD, so it also sees what Arrow, Polars and SQLite write themselves. Inert until
 * disk_calls_report() names a folder. The function gets the call, the path and the descriptor's flags or bytes; it
 * returns 0: let it through, an errno: fail with it, -1: do half of a write, then end the process with status 77.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CRASHED = 77 };
typedef int (*reporter)(const char *call, const char *path, const char *other, long amount);
static reporter report;
static char folder[PATH_MAX];
static __thread int inside; /* what the reporter does itself is not reported */

void disk_calls_report(const char *below, reporter function) {
    snprintf(folder, sizeof folder, "%s", below);
    report = function;
}

static int is_below(const char *path) {
    size_t length = strlen(folder);
    return report && !inside && path && !strncmp(path, folder, length) && (!path[length] || path[length] == '/');
}

static int ask(const char *call, const char *path, const char *other, long amount) {
    if (!is_below(path)) return 0;
    inside = 1;
    int answer = report(call, path, other, amount);
    inside = 0;
    return answer;
}

static const char *path_of(int descriptor, char *buffer) {
    char link[64];
    if (!report || inside) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, buffer, PATH_MAX - 1);
    if (length < 0) return NULL;
    buffer[length] = 0;
    return buffer;
}

static const char *path_at(int directory, const char *path, char *buffer) {
    char base[PATH_MAX];
    if (directory == AT_FDCWD || path[0] == '/' || !path_of(directory, base)) return path;
    if (snprintf(buffer, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return path;
    return buffer;
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define REFUSED(answer) \
    do { \
        int _answer = (answer); \
        if (_answer < 0) _exit(CRASHED); \
        if (_answer) { errno = _answer; return -1; } \
    } while (0)

#define OPEN(name, signature, full, ...) \
    int name signature { \
        REAL(name); \
        mode_t mode = 0; \
        char buffer[PATH_MAX]; \
        if (flags & (O_CREAT | __O_TMPFILE)) { \
            va_list more; \
            va_start(more, flags); \
            mode = va_arg(more, mode_t); \
            va_end(more); \
        } \
        (void)buffer; \
        if (flags & (O_WRONLY | O_RDWR | O_CREAT)) REFUSED(ask("open", full, "", flags)); \
        return real(__VA_ARGS__, flags, mode); \
    }
OPEN(open, (const char *path, int flags, ...), path, path)
OPEN(open64, (const char *path, int flags, ...), path, path)
OPEN(openat, (int at, const char *path, int flags, ...), path_at(at, path, buffer), at, path)
OPEN(openat64, (int at, const char *path, int flags, ...), path_at(at, path, buffer), at, path)

#define WRITE(name, signature, length, half, ...) \
    ssize_t name signature { \
        REAL(name); \
        char buffer[PATH_MAX]; \
        const char *path = path_of(descriptor, buffer); \
        int answer = path ? ask("write", path, "", (long)(length)) : 0; \
        if (answer < 0) { half; _exit(CRASHED); } \
        REFUSED(answer); \
        return real(__VA_ARGS__); \
    }
WRITE(write, (int descriptor, const void *data, size_t count), count, (void)!real(descriptor, data, count / 2),
      descriptor, data, count)
WRITE(pwrite, (int descriptor, const void *data, size_t count, off_t at), count,
      (void)!real(descriptor, data, count / 2, at), descriptor, data, count, at)
WRITE(pwrite64, (int descriptor, const void *data, size_t count, off64_t at), count,
      (void)!real(descriptor, data, count / 2, at), descriptor, data, count, at)
WRITE(writev, (int descriptor, const struct iovec *parts, int count), count, (void)!real(descriptor, parts, count / 2),
      descriptor, parts, count)

#define SYNC(name) \
    int name(int descriptor) { \
        char buffer[PATH_MAX]; \
        const char *path = path_of(descriptor, buffer); \
        if (path && is_below(path)) { \
            /* In name only, which is much faster: the machine itself stays up. */ \
            REFUSED(ask("sync", path, "", 0)); \
            return 0; \
        } \
        REAL(name); \
        return real(descriptor); \
    }
SYNC(fsync)
SYNC(fdatasync)

int rename(const char *from, const char *to) {
    REAL(rename);
    REFUSED(ask("rename", to, from, 0));
    return real(from, to);
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    REFUSED(ask("mkdir", path, "", 0));
    return real(path, mode);
}

int rmdir(const char *path) {
    REAL(rmdir);
    REFUSED(ask("remove", path, "", 0));
    return real(path);
}

int unlink(const char *path) {
    REAL(unlink);
    REFUSED(ask("remove", path, "", 0));
    return real(path);
}

int unlinkat(int at, const char *path, int flags) {
    REAL(unlinkat);
    char buffer[PATH_MAX];
    REFUSED(ask("remove", path_at(at, path, buffer), "", 0));
    return real(at, path, flags);
}

#define TRUNCATE(name, kind) \
    int name(int descriptor, kind length) { \
        REAL(name); \
        char buffer[PATH_MAX]; \
        const char *path = path_of(descriptor, buffer); \
        if (path) REFUSED(ask("write", path, "", 0)); \
        return real(descriptor, length); \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)
