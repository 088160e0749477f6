#include "load_result.h"

#include <stdio.h>

#include "report.h"
#include "source.h"

static const char *advice(const struct net_address *server, struct net_result reason)
{
    if (os_error_kind(reason.error) == OS_ERROR_DESCRIPTORS)
        return "; raise the limit of open descriptors (ulimit -n), of the server too";
    if (reason.outcome == NET_UNAVAILABLE && source_is_free(server))
        return "; no local port is left: use fewer connections, or wait a minute";
    if (reason.outcome == NET_UNAVAILABLE)
        return "; no local port is left: use fewer connections, wait a minute, or test a server on "
               "127.0.0.1, which is reached from many addresses";
    return "";
}

void load_result_record_failure(struct load_result *result, const char *what,
                                const struct net_address *server, struct net_result reason)
{
    char words[OS_ERROR_TEXT];
    char address[NET_ADDRESS_TEXT];

    if (result->failure[0] != '\0')
        return;
    snprintf(result->failure, sizeof result->failure, "%s %s: %s%s", what,
             net_address_text(server, address), report_failure(reason, words),
             advice(server, reason));
}

void load_result_record_unanswered(struct load_result *result, unsigned long long connections)
{
    if (result->failure[0] == '\0')
        snprintf(result->failure, sizeof result->failure,
                 "connections that were never answered: %llu; the server may be in line mode "
                 "(--expect line), or at a limit of its own, of clients or descriptors",
                 connections);
}

void load_result_record_interruption(struct load_result *result)
{
    if (result->failure[0] == '\0')
        snprintf(result->failure, sizeof result->failure,
                 "interrupted before anything was answered");
}

void load_result_record_fault(struct load_result *result, struct load_fault fault)
{
    if (!result->fault.found)
        result->fault = fault;
    result->fault.found = true;
}

bool load_result_passed(const struct load_result *result)
{
    return result->failure[0] == '\0' && !result->fault.found && result->connections_failed == 0 &&
           result->connections_lost == 0 && result->messages_answered > 0 &&
           (result->interrupted ||
            (result->messages_answered == result->messages_sent && result->messages_not_sent == 0));
}
