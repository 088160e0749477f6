/*
 * completions: writes the scripts with which bash, zsh, fish and PowerShell complete the command
 * lines of both programs, from the tables that --help is made from.
 *   completions FOLDER    FOLDER: has a folder for each shell
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "client_options.h"
#include "server_options.h"

#define MADE_BY "made by `make completions`, from its table of options.\n"

/* Whether the values of an option, which has some, are "a|b|c". */
static bool has_choices(const struct command_line_option *option)
{
    return strchr(option->argument, '|') != NULL;
}

/* Whether its value is the name or address of a host. */
static bool is_host(const struct command_line_option *option)
{
    return strcmp(option->argument, "ADDRESS") == 0;
}

/* Whether a host may stand where no option does, which the usage of the program shows. */
static bool takes_host(const struct command_line_program *program)
{
    return strstr(program->usage, "[HOST ") != NULL;
}

/* Writes the first line of an option's help, with `escape` before each of the characters
 * `special`. A colon at its end leads to other lines. */
static void write_help(FILE *file, const struct command_line_option *option, const char *special,
                       char escape)
{
    size_t length = strcspn(option->help, "\n");

    if (option->help[length - 1] == ':')
        length--;
    for (size_t i = 0; i < length; i++) {
        if (strchr(special, option->help[i]) != NULL)
            fputc(escape, file);
        fputc(option->help[i], file);
    }
}

/* Writes the choices "a|b|c" with another separator. */
static void write_choices(FILE *file, const struct command_line_option *option,
                          const char *separator)
{
    for (const char *c = option->argument; *c != '\0'; c++) {
        if (*c == '|')
            fputs(separator, file);
        else
            fputc(*c, file);
    }
}

/* Writes "-m", the separator and "--mode". */
static void write_names(FILE *file, const struct command_line_option *option, const char *separator)
{
    if (option->letter != '\0')
        fprintf(file, "-%c%s", option->letter, separator);
    fprintf(file, "--%s", option->name);
}

static void write_bash(FILE *file, const struct command_line_program *program)
{
    const char *function = strchr(program->name, '-') + 1;

    fprintf(
        file,
        "# Completions of %s for bash, " MADE_BY "# shellcheck shell=bash\n"
        "_selecho_%s() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} offered\n"
        "\n"
        "    # --NAME=VALUE is three words here.\n"
        "    if [[ $word == = ]]; then\n"
        "        word=\n"
        "    elif [[ $option == = ]]; then\n"
        "        option=${COMP_WORDS[COMP_CWORD - 2]}\n"
        "    fi\n"
        "    case $option in\n",
        program->name, function);
    for (int i = 0; i < program->count; i++) {
        const struct command_line_option *option = &program->options[i];

        if (option->argument == NULL)
            continue;
        fprintf(file, "    ");
        write_names(file, option, " | ");
        if (has_choices(option)) {
            fprintf(file, ") offered=(-W '");
            write_choices(file, option, " ");
            fprintf(file, "') ;;\n");
        } else {
            fprintf(file, is_host(option) ? ") offered=(-A hostname) ;;\n" : ") return ;;\n");
        }
    }
    fprintf(file, "    *) offered=(%s-W '", takes_host(program) ? "-A hostname " : "");
    for (int i = 0; i < program->count; i++) {
        fprintf(file, i > 0 ? " " : "");
        write_names(file, &program->options[i], " ");
    }
    fprintf(file,
            "') ;;\n"
            "    esac\n"
            "    # shellcheck disable=SC2207 # no name has a space\n"
            "    COMPREPLY=($(compgen \"${offered[@]}\" -- \"$word\"))\n"
            "}\n"
            "complete -F _selecho_%s %s\n",
            function, program->name);
}

static void write_zsh(FILE *file, const struct command_line_program *program)
{
    fprintf(file,
            "#compdef %s\n"
            "# Completions of %s for zsh, " MADE_BY "_arguments -s -S",
            program->name, program->name);
    for (int i = 0; i < program->count; i++) {
        const struct command_line_option *option = &program->options[i];
        const char *equals = option->argument != NULL ? "=" : "";

        fprintf(file, " \\\n    ");
        if (option->letter != '\0')
            fprintf(file, "'*'{-%c%s,--%s%s}", option->letter, *equals != '\0' ? "+" : "",
                    option->name, equals);
        else
            fprintf(file, "'*--%s%s'", option->name, equals);
        fprintf(file, "\"[");
        write_help(file, option, "[]\\\"$`", '\\');
        fprintf(file, "]");
        if (option->argument == NULL) {
            fprintf(file, "\"");
        } else if (has_choices(option)) {
            fprintf(file, ":%s:(", option->name);
            write_choices(file, option, " ");
            fprintf(file, ")\"");
        } else {
            fprintf(file, ":%s:%s\"", option->argument, is_host(option) ? "_hosts" : " ");
        }
    }
    fprintf(file, "%s\n", takes_host(program) ? " \\\n    '1:HOST:_hosts' '2:PORT: '" : "");
}

static void write_fish(FILE *file, const struct command_line_program *program)
{
    static const char hosts[] = "'(__fish_print_hostnames)'";

    fprintf(file, "# Completions of %s for fish, " MADE_BY "complete -c %s -f%s%s\n", program->name,
            program->name, takes_host(program) ? " -a " : "", takes_host(program) ? hosts : "");
    for (int i = 0; i < program->count; i++) {
        const struct command_line_option *option = &program->options[i];

        fprintf(file, "complete -c %s", program->name);
        if (option->letter != '\0')
            fprintf(file, " -s %c", option->letter);
        fprintf(file, " -l %s -d '", option->name);
        write_help(file, option, "'\\", '\\');
        fprintf(file, option->argument != NULL ? "' -x" : "'");
        if (option->argument != NULL && has_choices(option)) {
            fprintf(file, " -a '");
            write_choices(file, option, " ");
            fprintf(file, "'");
        } else if (option->argument != NULL && is_host(option)) {
            fprintf(file, " -a %s", hosts);
        }
        fprintf(file, "\n");
    }
}

static void write_powershell(FILE *file, const struct command_line_program *program)
{
    fprintf(file,
            "# Completions of %s for PowerShell, " MADE_BY
            "Register-ArgumentCompleter -Native -CommandName '%s', '%s.exe' -ScriptBlock {\n"
            "    param($word, $line, $cursor)\n"
            "\n"
            "    function Complete-Word($text, $help) {\n"
            "        if ($text.StartsWith($word, [StringComparison]::Ordinal)) {\n"
            "            [System.Management.Automation.CompletionResult]::new(\n"
            "                $text, $text, 'ParameterValue', $help)\n"
            "        }\n"
            "    }\n"
            "\n"
            "    # Options that take a value have choices, of which there may be none.\n"
            "    $options = @(\n",
            program->name, program->name, program->name);
    for (int i = 0; i < program->count; i++) {
        const struct command_line_option *option = &program->options[i];

        fprintf(file, "        @{ Names = @('");
        write_names(file, option, "', '");
        fprintf(file, "'); ");
        if (option->argument != NULL && has_choices(option)) {
            fprintf(file, "Choices = @('");
            write_choices(file, option, "', '");
            fprintf(file, "'); ");
        } else if (option->argument != NULL) {
            fprintf(file, "Choices = @(); ");
        }
        fprintf(file, "Help = '");
        write_help(file, option, "'", '\'');
        fprintf(file, "' }\n");
    }
    fprintf(file, "    )\n"
                  "    $before = $line.CommandElements |\n"
                  "        Where-Object { $_.Extent.EndOffset -lt $cursor } |\n"
                  "        Select-Object -Last 1\n"
                  "    $option = $options | Where-Object { $_.Names -ccontains \"$before\" }\n"
                  "    if ($null -ne $option.Choices) {\n"
                  "        foreach ($choice in $option.Choices) {\n"
                  "            Complete-Word $choice $choice\n"
                  "        }\n"
                  "    } else {\n"
                  "        foreach ($option in $options) {\n"
                  "            foreach ($name in $option.Names) {\n"
                  "                Complete-Word $name $option.Help\n"
                  "            }\n"
                  "        }\n"
                  "    }\n"
                  "}\n");
}

static const struct {
    const char *before, *after; /* the program's name, in that of the file */
    void (*write)(FILE *file, const struct command_line_program *program);
} shells[] = {{"bash/", "", write_bash},
              {"zsh/_", "", write_zsh},
              {"fish/", ".fish", write_fish},
              {"powershell/", ".ps1", write_powershell}};

/* Writes a file for each shell. Returns false after reporting the first one that cannot be
 * written. */
static bool write_files(const char *folder, const struct command_line_program *program)
{
    char path[1024];

    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        snprintf(path, sizeof path, "%s/%s%s%s", folder, shells[i].before, program->name,
                 shells[i].after);
        FILE *file = fopen(path, "w");

        if (file != NULL)
            shells[i].write(file, program);
        if (file == NULL || (ferror(file) | fclose(file)) != 0) {
            perror(path);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: completions FOLDER\n");
        return 2;
    }
    return write_files(argv[1], &server_program) && write_files(argv[1], &client_program) ? 0 : 1;
}
