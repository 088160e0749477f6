#include "load_result.h"

#include <stdio.h>

#include "report.h"
#include "source.h"

struct load_counts load_counts_since(const struct load_counts *now,
                                     const struct load_counts *before)
{
    return (struct load_counts){
        .connections_made = now->connections_made - before->connections_made,
        .connections_failed = now->connections_failed - before->connections_failed,
        .connections_lost = now->connections_lost - before->connections_lost,
        .messages_sent = now->messages_sent - before->messages_sent,
        .messages_answered = now->messages_answered - before->messages_answered,
        .bytes_sent = now->bytes_sent - before->bytes_sent,
        .bytes_received = now->bytes_received - before->bytes_received,
        .faults = now->faults - before->faults};
}

static const char *advice(const struct net_address *server, const struct net_address *source,
                          struct net_result reason)
{
    if (os_error_kind(reason.error) == OS_ERROR_DESCRIPTORS)
        return "; raise the limit of open descriptors (ulimit -n), of the server too";
    /* That of the user may as well be no address of this machine. */
    if (reason.outcome != NET_UNAVAILABLE || source != NULL)
        return "";
    if (source_is_free(server))
        return "; no local port is left: use fewer connections, or wait a minute";
    return "; no local port is left: use fewer connections, wait a minute, or test a server on "
           "127.0.0.1, which is reached from many addresses";
}

void load_result_record_failure(struct load_result *result, const char *what,
                                const struct net_address *server, const struct net_address *source,
                                struct net_result reason)
{
    char words[OS_ERROR_TEXT];
    char address[NET_ADDRESS_TEXT];

    if (result->failure[0] != '\0')
        return;
    snprintf(result->failure, sizeof result->failure, "%s %s: %s%s", what,
             net_address_text(server, address), report_failure(reason, words),
             advice(server, source, reason));
}

void load_result_record_unanswered(struct load_result *result, unsigned long long connections)
{
    /* A server in line mode answers none. */
    bool some_answered = result->counts.messages_answered > 0;

    if (result->failure[0] == '\0')
        snprintf(result->failure, sizeof result->failure,
                 "connections that were never answered: %llu; the server may be %sat a limit of "
                 "its own, of clients or descriptors",
                 connections, some_answered ? "" : "in line mode (--expect line), or ");
}

void load_result_record_interruption(struct load_result *result)
{
    if (result->failure[0] == '\0')
        snprintf(result->failure, sizeof result->failure,
                 "interrupted before anything was answered");
}

void load_result_record_fault(struct load_result *result, struct load_fault fault)
{
    result->counts.faults++;
    if (!result->fault.found)
        result->fault = fault;
    result->fault.found = true;
}

bool load_result_passed(const struct load_result *result)
{
    return result->failure[0] == '\0' && !result->fault.found &&
           result->counts.connections_failed == 0 && result->counts.connections_lost == 0 &&
           result->counts.messages_answered > 0 &&
           (result->interrupted ||
            (result->counts.messages_answered == result->counts.messages_sent &&
             result->messages_not_sent == 0));
}
