/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/str.h"
#include "common/textfile.h"
#include "common/xmem.h"

#define CHUNK 65536

enum textfile_result
textfile_read(const char *path, char **text_r, size_t *len_r, struct err *err)
{
	enum textfile_result result = TEXTFILE_FAILED;
	char *text = NULL;
	size_t len = 0;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		if (errno == ENOENT)
			result = TEXTFILE_MISSING;
		err_set_errno(err, errno, "%s: cannot open", path);
		goto out;
	}
	for (;;) {
		if (len > TEXTFILE_MAX) {
			err_set(err, "%s: larger than %d bytes", path,
			    TEXTFILE_MAX);
			goto out;
		}
		text = xmem_realloc(text, len + CHUNK, 1);
		do
			got = read(fd, text + len, CHUNK);
		while (got < 0 && errno == EINTR);
		if (got < 0) {
			err_set_errno(err, errno, "%s: cannot read", path);
			goto out;
		}
		if (got == 0)
			break;
		len += (size_t)got;
	}
	*text_r = text;
	*len_r = len;
	text = NULL;
	result = TEXTFILE_OK;
out:
	if (fd >= 0)
		close(fd);
	xmem_free(&text);
	return result;
}

enum textfile_line
textfile_next(struct textfile *file, char **line_r)
{
	const char *from, *end;
	size_t left = file->len - file->at;
	size_t len;

	if (left == 0)
		return TEXTFILE_END;
	from = file->text + file->at;
	end = memchr(from, '\n', left);
	len = end == NULL ? left : (size_t)(end - from);
	file->at += end == NULL ? len : len + 1;
	file->number++;
	if (len > TEXTFILE_LINE_MAX || memchr(from, '\0', len) != NULL)
		return TEXTFILE_BAD;
	memcpy(file->line, from, len);
	file->line[len] = '\0';
	*line_r = str_trim(file->line);
	return TEXTFILE_LINE;
}
