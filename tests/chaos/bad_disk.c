/* Preloaded into the store's server: as the first letter of the file CHAOS_DISK says, its disk is full (f: half of what
 * is appended is written, then no more) or slow (s: an fsync takes half a second). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char state(void) {
    static ssize_t (*real)(int, void *, size_t);
    if (real == NULL) real = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    const char *path = getenv("CHAOS_DISK");
    char letter = 0;
    int file = path == NULL ? -1 : open(path, O_RDONLY);
    if (file < 0) return 0;
    if (real(file, &letter, 1) != 1) letter = 0;
    close(file);
    return letter;
}

static int appends_to(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return strstr(path, ".aof") != NULL;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    static ssize_t (*real)(int, const void *, size_t);
    if (real == NULL) real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (state() != 'f' || !appends_to(fd)) return real(fd, bytes, count);
    if (count > 1) return real(fd, bytes, count / 2);
    errno = ENOSPC;
    return -1;
}

int fdatasync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    if (state() == 's') usleep(500000);
    return real(fd);
}
