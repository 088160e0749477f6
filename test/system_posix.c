#include "system.h"

const bool system_is_windows = false;

bool system_is_wine(void)
{
    return false;
}

void system_end_children_with_me(void)
{
}
