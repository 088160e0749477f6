#include "facts.h"

#include <sys/utsname.h>

void facts_of_system(void)
{
    struct utsname name;

    if (uname(&name) == 0)
        fact("system", "%s %s, %s", name.sysname, name.release, name.machine);
}
