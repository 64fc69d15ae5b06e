/* Preloaded into the store's server: after each successful fsync it writes how many bytes of the file are safe by now
 * to FILE.synced. What lies behind that is what a power cut takes away. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int witness(int fd, const char *name) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    struct stat before;
    int known = fstat(fd, &before) == 0; /* what comes while it runs may not be covered */
    int result = real(fd);
    if (result != 0 || !known || !S_ISREG(before.st_mode)) return result;

    char link[64], path[PATH_MAX], beside[PATH_MAX + 16], size[21];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return result;
    path[length] = 0;
    if (strstr(path, ".aof") == NULL) return result;
    snprintf(beside, sizeof beside, "%s.synced", path);
    snprintf(size, sizeof size, "%020lld", (long long)before.st_size);
    int file = open(beside, O_WRONLY | O_CREAT, 0600);
    if (file >= 0) {
        if (pwrite(file, size, 20, 0) != 20) unlink(beside);
        close(file);
    }
    return result;
}

int fsync(int fd) { return witness(fd, "fsync"); }
int fdatasync(int fd) { return witness(fd, "fdatasync"); }
