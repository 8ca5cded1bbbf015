/* SPDX-License-Identifier: ISC */
/*
 * dkimkeys.h - keys of the tests of the engine; they sign for nobody
 */
#ifndef POSTERN_TESTS_UNIT_DKIMKEYS_H
#define POSTERN_TESTS_UNIT_DKIMKEYS_H

static const char dkimkeys_rsa[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIICXgIBAAKBgQDJ6LMW2Y+1RvnDF+b3qf0153x3XFAOt7wm/vLlpFlQcZXZ7HVJ\n"
    "tfPEOmMW28gUbXLvVNGoCI77aP1McSHQDt+1umTCi74olOaS2qpO/yySljsNTnQq\n"
    "czwxP+YycfuzrnhaGG/idD+T3IX+0I3kPF9anb4lDfksL1+7pUW1ixFQ9wIDAQAB\n"
    "AoGBAIUpwsukK2J8cAdagUsAQu7FQFKcgHRke2Qgq2QHU5x5fUJf8C7wINhfRbDy\n"
    "vO+0C6SLBUdUdbCcWsqKpqlI1gMhnwodGnnEkQDyyLup8RfCEANDlRlwWQLnhWZY\n"
    "YiO0As7jevJrK4QJig++yOSpw8lk2Zkl8oYUQpU18M+viDkpAkEA77TP0jcnYWz2\n"
    "UGHATLLpMUyM1Ol6O88THQARQaMiIX2o2sYAbf/yhMSBtLI3GUWsoyC92p4LyrpV\n"
    "w13VVoYO8wJBANeiKtwi9T4ksA6VEKyhgwsbtVySQe0Ilsk1ZpxncjBQgIfAppCj\n"
    "9HHkdgOl4Ir6Jtjd8AsElTQOwuWAMac3Hu0CQQDdMREQnzpkqYKFXB5x6CpNBqFy\n"
    "Gtxjckrl2NkTo3BsTSNSdaGR37uvjhFOZ6F2XZfXk+/9Wxfwg49+Twj85YnHAkBv\n"
    "FRJhPvz5W2r6yB3D4JwiP87o9ktR8WfEFWdb0QqJCx97T2o+/scxWNDWxj/rODyE\n"
    "4agD9QNrwuLx2V061/FtAkEAjNrjWsryQ3jmGG1XimrpxWYkfjNA5V3A3ZVx5IMR\n"
    "Gs4xc4ANTPe3ygD9dBQRx13UusEkW070SuegpkDL9uyHew==\n"
    "-----END RSA PRIVATE KEY-----\n";
static const char dkimkeys_ed25519[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJyl7mxTAkC5b8WF3kBW2/Mf07c5aF5evIr2i48d7XmX\n"
    "-----END PRIVATE KEY-----\n";

#endif
