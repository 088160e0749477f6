#include "screen.h"

#include <stdlib.h>

#include "editor/markup.h"

bool screen_without_colours(void)
{
    const char *no_color = getenv("NO_COLOR");

    return no_color != NULL && *no_color != '\0';
}

bool screen_print(struct screen *screen, const char *text, size_t length)
{
    const char *end = text + length;
    bool ok = true;

    screen_hide_line(screen);
    while (ok && text < end) {
        const char *plain = text;

        while (text < end && *text != MARKUP_DIM && *text != MARKUP_NORMAL)
            text++;
        ok = screen_write(screen, plain, (size_t)(text - plain));
        if (text < end)
            screen_dim(screen, *text++ == MARKUP_DIM);
    }
    return ok;
}
